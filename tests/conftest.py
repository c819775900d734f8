"""What all tests share: no property is a race against the clock."""

from hypothesis import HealthCheck, settings

# A busy machine takes as long as it takes; how fast things are is for tests/bench/.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
