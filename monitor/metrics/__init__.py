"""Core values -> Prometheus samples, and the listener that serves them beside the worker's own page."""
