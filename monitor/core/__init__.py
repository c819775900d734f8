"""Pure rules: no I/O, no logging, no reading of the time. Raises only ValueError."""
