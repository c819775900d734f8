"""Fetching a report's document from where Amazon put it: a signed address that holds for minutes.

The library would fetch it without a look at the status, so that an ended address would pass for a report without figures.
"""

import ssl
import zlib
from dataclasses import dataclass

import httpx

from monitor.errors import AmazonError
from monitor.spapi.failures import KNOWN, amazon_error, http_error

MAX_DOWNLOAD_BYTES = 8 * 1024 * 1024
MAX_DOCUMENT_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DocumentPlace:
    """Where a document can be fetched for some minutes; the address is a secret of its own."""

    url: str
    gzip: bool

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "DocumentPlace(…)"


def download(place: DocumentPlace, where: str, timeout: httpx.Timeout, context: ssl.SSLContext) -> bytes:
    """Return a document's bytes, unpacked; `where` begins the lines of errors.

    Raises:
        AmazonError: it cannot be had, is cut off or beyond all measure.
    """
    try:
        with httpx.Client(timeout=timeout, verify=context) as client:
            content = _fetch(client, place.url, where)
    except KNOWN as error:
        raise amazon_error(where, error) from None
    # Some servers unpack by themselves, others forget to say that they packed.
    return _unpack(content, where) if place.gzip or content[:2] == b"\x1f\x8b" else content


def _fetch(client: httpx.Client, url: str, where: str) -> bytes:
    with client.stream("GET", url) as answer:
        if answer.status_code != 200:
            raise http_error(where, answer.status_code, answer.headers)
        parts, size = [], 0
        for part in answer.iter_bytes():
            size += len(part)
            if size > MAX_DOWNLOAD_BYTES:
                raise _too_large(where)
            parts.append(part)
    return b"".join(parts)


def _unpack(content: bytes, where: str) -> bytes:
    try:
        unpacker = zlib.decompressobj(15 + 32)
        document = unpacker.decompress(content, MAX_DOCUMENT_BYTES)
    except zlib.error as error:
        raise amazon_error(where, error) from None
    if unpacker.unconsumed_tail:
        raise _too_large(where)
    if not unpacker.eof:
        raise AmazonError(f"{where}: cut off in the middle. Tried again later.", retryable=True, reason="unreadable")
    return document


def _too_large(where: str) -> AmazonError:
    return AmazonError(
        f"{where}: larger than any such report. Not retried today.", retryable=False, reason="unreadable"
    )
