"""The Slack application's manifest: exactly the rights that ReplyBy uses, and Socket Mode."""

import json
from typing import Any
from urllib.parse import quote

BOT_SCOPES = {  # the right, and what it is for
    "chat:write": "posts and changes its own messages",
    "channels:history": "looks a message up before sending it again (public channels)",
    "groups:history": "the same in private channels",
    "im:history": "the same in direct messages",
    "channels:read": "checks that it is in the channel",
    "groups:read": "the same for private channels",
    "im:write": "opens a direct message to somebody who is told alone",
    "users:read": "shows who pressed a button by name",
    "files:write": "puts the report's pictures beside it",
}


def render_manifest(name: str = "ReplyBy") -> str:
    """Return the manifest as JSON, to be pasted where Slack asks for one."""
    manifest: dict[str, Any] = {
        "display_information": {"name": name, "description": "Warns before a buyer has waited 24 hours"},
        "features": {"bot_user": {"display_name": name, "always_online": True}},
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "interactivity": {"is_enabled": True},
            "socket_mode_enabled": True,
            "org_deploy_enabled": False,
            "token_rotation_enabled": False,
        },
    }
    return json.dumps(manifest, indent=2)


def manifest_url(name: str = "ReplyBy") -> str:
    """Return the address that opens Slack with the manifest filled in."""
    compact = json.dumps(json.loads(render_manifest(name)), separators=(",", ":"))
    return f"https://api.slack.com/apps?new_app=1&manifest_json={quote(compact, safe='')}"


def missing_scopes(granted: set[str]) -> dict[str, str]:
    """Return the rights that a token lacks, each with what it is for."""
    return {scope: purpose for scope, purpose in BOT_SCOPES.items() if scope not in granted}
