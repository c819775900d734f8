"""Checks that prove a dashboard without a Grafana server. Each is itself tested with seeded faults."""
