"""Typed code -> grafana/dashboards/*.json. Change a panel here, then run `python -m grafana.generator`."""

import warnings

with warnings.catch_warnings():
    # The SDK prefers Grafana 12's new schema; the classic one also loads in Grafana 10 and 11, which Debian users have.
    warnings.simplefilter("ignore", DeprecationWarning)
    import grafana_foundation_sdk.builders.dashboard
    import grafana_foundation_sdk.models.dashboard  # noqa: F401
