"""What commands load before they do anything: start-up is half a second because of what is not imported."""

import subprocess
import sys

import pytest

HEAVY = (
    "alembic",
    "apscheduler",
    "babel",
    "css_inline",
    "dkim",
    "httpx",
    "jinja2",
    "lingua",
    "prometheus_client",
    "slack_sdk",
    "sp_api",
    "twilio",
)


def loaded_after(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after this statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True).split())


@pytest.mark.parametrize(
    ("statement", "more"),
    [
        pytest.param("import monitor.cli", ("sqlalchemy", "structlog", "fast_mail_parser"), id="help"),
        pytest.param(
            "import monitor.cli, monitor.config.loader, monitor.parse.explain, monitor.parse.building",
            ("sqlalchemy", "structlog"),
            id="explain",
        ),
        pytest.param("import monitor.cli, monitor.bootstrap, monitor.store.open_threads", (), id="status"),
    ],
)
def test_a_command_loads_only_what_it_needs(statement: str, more: tuple[str, ...]) -> None:
    loaded = loaded_after(statement)
    assert "monitor" in loaded
    assert loaded.isdisjoint({*HEAVY, *more})
