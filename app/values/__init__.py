"""What is wanted and what happened, as frozen values: no torch, no files but the names under assets/."""
