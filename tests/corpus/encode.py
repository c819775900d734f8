"""Turns headers and parts into bytes the ways mail programs do: encodings, line ends, folding, flowed text."""

import base64
import quopri
from email.header import Header

Part = tuple[str, str]
"""Content type ("text/plain") and text."""


def encoded_word(value: str, charset: str = "utf-8") -> str:
    """Return a header value as RFC 2047 words where it needs them."""
    if value.isascii():
        return value
    return Header(value, charset, maxlinelen=70).encode()


def display(name: str, address: str) -> str:
    """Return a From value."""
    if not name:
        return address
    if name.isascii():
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{encoded_word(name)} <{address}>"


def _body(text: str, kind: str, encoding: str) -> tuple[list[str], bytes]:
    """Return the part's headers and its encoded body."""
    charset = {"iso": "iso-8859-15", "sjis": "shift_jis", "jis": "iso-2022-jp", "gb": "gb18030"}.get(encoding, "utf-8")
    try:
        raw = text.encode(charset)
    except UnicodeEncodeError:
        charset, raw = "utf-8", text.encode()
    parameters = f'; charset="{charset}"' if encoding != "nocharset" else ""
    if encoding == "flowed" and kind == "text/plain":
        raw, parameters = _flow(text).encode(), parameters + "; format=flowed"
    head = [f"Content-Type: {kind}{parameters}"]
    if encoding == "base64":
        return [*head, "Content-Transfer-Encoding: base64"], base64.encodebytes(raw)
    if encoding in ("8bit", "nocharset", "jis"):
        return [*head, "Content-Transfer-Encoding: 8bit"], raw
    return [*head, "Content-Transfer-Encoding: quoted-printable"], quopri.encodestring(raw)


def _flow(text: str) -> str:
    """Break long lines as RFC 3676 says: a soft break ends in a space."""
    lines = []
    for line in text.split("\n"):
        line = line.rstrip(" ")
        while len(line) > 72 and " " in line[:72] and not line.startswith((">", "http")):
            cut = line.rfind(" ", 0, 72)
            if cut <= 0:
                break
            lines.append(line[: cut + 1])
            line = line[cut + 1 :]
        lines.append(line)
    return "\n".join(lines)


def compose(
    headers: list[tuple[str, str]], parts: list[Part], encoding: str, *, crlf: bool = True, photo: bool = False
) -> bytes:
    """Return the mail's bytes."""
    lines = [f"{name}: {value}" for name, value in headers]
    lines.append("MIME-Version: 1.0")
    if len(parts) == 1 and not photo:
        part_headers, body = _body(parts[0][1], parts[0][0], encoding)
        raw = "\n".join([*lines, *part_headers]).encode() + b"\n\n" + body
    else:
        boundary = "----=_Part_7_1.42"
        kind = "mixed" if photo else "alternative"
        lines.append(f'Content-Type: multipart/{kind}; boundary="{boundary}"')
        raw = "\n".join(lines).encode() + b"\n\n"
        for content_type, text in parts:
            part_headers, body = _body(text, content_type, encoding)
            raw += b"--" + boundary.encode() + b"\n" + "\n".join(part_headers).encode() + b"\n\n" + body + b"\n"
        if photo:
            raw += (
                f"--{boundary}\nContent-Type: image/jpeg; name=photo.jpg\nContent-Disposition: attachment\n"
                "Content-Transfer-Encoding: base64\n\n/9j/4AAQSkZJRg==\n"
            ).encode()
        raw += b"--" + boundary.encode() + b"--\n"
    return raw.replace(b"\n", b"\r\n") if crlf else raw
