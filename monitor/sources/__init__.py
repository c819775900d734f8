"""Where mail comes from. Each source reads and never writes: no flag is set, nothing is deleted."""
