"""The studies, a folder each: what is asked, how it is measured, what is shown and said."""
