"""Whether what the store keeps is what was written: seals, checksums, copies, and what can be saved of a wreck."""
