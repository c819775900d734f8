"""The wall: dashboards, rules and how they are provisioned. Nothing here runs with the worker."""
