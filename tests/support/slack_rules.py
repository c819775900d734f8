"""What the real Slack refuses in a message, so that the stand-in refuses it too.

Limits: docs.slack.dev, reference/block-kit and reference/methods/chat.postMessage.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

MAX_BLOCKS = 50
MAX_TEXT = 40_000
MAX_METADATA = 8_000
_BLOCK_TYPES = frozenset({"section", "header", "actions", "context", "divider", "image", "rich_text", "input", "file"})


def message_error(params: Mapping[str, Any]) -> str | None:
    """Return Slack's error name for what `chat.postMessage` or `chat.update` would refuse, or None."""
    text = params.get("text") or ""
    blocks = params.get("blocks")
    if not text and not blocks and not params.get("attachments"):
        return "no_text"
    if len(text) > MAX_TEXT:
        return "msg_too_long"
    if blocks is not None:
        if isinstance(blocks, str):
            blocks = json.loads(blocks)
        problem = blocks_problem(blocks)
        if problem is not None:
            return problem
    metadata = params.get("metadata")
    if metadata is not None:
        return metadata_problem(json.loads(metadata) if isinstance(metadata, str) else metadata)
    return None


def metadata_problem(metadata: Any) -> str | None:
    """Return the error of message metadata, or None."""
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        return "invalid_metadata_format"
    if not isinstance(metadata.get("event_payload"), dict):
        return "invalid_metadata_format"
    if len(json.dumps(metadata["event_payload"])) > MAX_METADATA:
        return "metadata_too_large"
    return None


def blocks_problem(blocks: Any) -> str | None:
    """Return "invalid_blocks" (or the format error) when Slack would refuse the blocks, else None."""
    if not isinstance(blocks, Sequence) or isinstance(blocks, str):
        return "invalid_blocks_format"
    if len(blocks) > MAX_BLOCKS:
        return "invalid_blocks"
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(ids) != len(set(ids)) or any(len(block_id) > 255 for block_id in ids):
        return "invalid_blocks"
    for block in blocks:
        if not isinstance(block, dict) or block.get("type") not in _BLOCK_TYPES or not _block_is_valid(block):
            return "invalid_blocks"
    return None


def _block_is_valid(block: Mapping[str, Any]) -> bool:
    kind = block["type"]
    if kind == "section":
        fields = block.get("fields", [])
        if "text" not in block and not fields:
            return False
        if len(fields) > 10 or not all(_text_is_valid(field, 2000) for field in fields):
            return False
        return "text" not in block or _text_is_valid(block["text"], 3000)
    if kind == "header":
        return _text_is_valid(block.get("text"), 150) and block["text"]["type"] == "plain_text"
    if kind == "context":
        elements = block.get("elements", [])
        return 1 <= len(elements) <= 10 and all(
            element.get("type") == "image" or _text_is_valid(element, 2000) for element in elements
        )
    if kind == "actions":
        elements = block.get("elements", [])
        action_ids = [element.get("action_id") for element in elements if element.get("action_id")]
        return (
            1 <= len(elements) <= 25
            and len(action_ids) == len(set(action_ids))
            and all(_button_is_valid(element) for element in elements)
        )
    if kind == "image":
        return bool(block.get("alt_text")) and ("image_url" in block or "slack_file" in block)
    return True


def _text_is_valid(text: Any, limit: int) -> bool:
    return (
        isinstance(text, dict)
        and text.get("type") in ("mrkdwn", "plain_text")
        and isinstance(text.get("text"), str)
        and 1 <= len(text["text"]) <= limit
    )


def _button_is_valid(element: Mapping[str, Any]) -> bool:
    if element.get("type") != "button":
        return True
    if not _text_is_valid(element.get("text"), 75) or element["text"]["type"] != "plain_text":
        return False
    if len(element.get("value", "")) > 2000 or len(element.get("url", "")) > 3000:
        return False
    if "url" in element and not element["url"].startswith(("https://", "http://", "mailto:")):
        return False
    confirm = element.get("confirm")
    if confirm is not None and not (
        _text_is_valid(confirm.get("title"), 100)
        and _text_is_valid(confirm.get("text"), 300)
        and _text_is_valid(confirm.get("confirm"), 30)
        and _text_is_valid(confirm.get("deny"), 30)
    ):
        return False
    return len(element.get("action_id", "")) <= 255 and element.get("style") in (None, "primary", "danger")
