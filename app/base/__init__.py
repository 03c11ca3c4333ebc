"""What every process has: settings, the log, memory, and the words under assets/."""
