"""Does the gradient vanish? Each claim of the sources beside what is measured."""
