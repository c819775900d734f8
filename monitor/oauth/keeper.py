"""Keeps a mailbox's access token fresh: renews it early, replaces refresh tokens, and says when a sign-in will end."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from monitor.config.model import MailboxConfig
from monitor.errors import LoginRefused, MailboxError
from monitor.oauth.google import Google
from monitor.oauth.microsoft import Microsoft
from monitor.oauth.provider import MISSING_EXTRA, Grant, Provider, Refused
from monitor.oauth.token_file import Token, read_token, record_token, token_path

# An access token lives about an hour. It is renewed while a good part of it is left, so that an outage of the sign-in
# server passes unnoticed, and a refusal is told before the mailbox goes blind.
RENEWED_BEFORE = timedelta(minutes=20)
USABLE_UNTIL = timedelta(minutes=1)  # before the end: the login itself takes a moment
RETRY_EVERY = timedelta(minutes=2)
TOLD_BEFORE = timedelta(days=3)
UNUSED_LIFE = {"microsoft": timedelta(days=90)}  # a refresh token that nobody renews ends by itself


class TokenKeeper:
    """Gives access tokens for one mailbox. Safe to call from several threads."""

    def __init__(self, mailbox: MailboxConfig, state_directory: Path, utc_now: Callable[[], datetime]) -> None:
        """Read nothing yet."""
        self._mailbox = mailbox
        self._path = token_path(state_directory, mailbox.name)
        self._utc_now = utc_now
        self._provider = build_provider(mailbox)
        self._lock = threading.Lock()
        self._failed_at: datetime | None = None
        self._failure: MailboxError | None = None

    def access_token(self) -> str:
        """Return an access token that is good for at least a minute, renewed and kept where it was due.

        While the sign-in server fails, the token at hand is used as long as it is good.

        Raises:
            LoginRefused: nobody signed in, or the sign-in was taken back: a person has to run `replyby login`.
            MailboxError: the sign-in server cannot be reached and the token at hand has ended.
        """
        with self._lock:
            now = self._utc_now()
            token = self._read()
            if now < token.access_expires_at - RENEWED_BEFORE:
                return token.access_token
            usable = now < token.access_expires_at - USABLE_UNTIL
            if usable and self._failed_at is not None and now < self._failed_at + RETRY_EVERY:
                return token.access_token
            try:
                renewed = self._renew(token, now)
            except MailboxError as error:
                self._failed_at, self._failure = now, error
                if usable:
                    return token.access_token
                raise
            self._failed_at = self._failure = None
            return renewed.access_token

    def trouble(self, now: datetime) -> str | None:
        """Return what will end the access to this mailbox, in one line, or None: for health alerts and the doctor."""
        try:
            token = self._read()
        except LoginRefused as error:
            return str(error)
        if self._failure is not None:
            return str(self._failure)
        ends = token.refresh_expires_at
        if ends is not None and now >= ends - TOLD_BEFORE:
            what = f'mailbox "{self._mailbox.name}": the sign-in ends on {ends:%Y-%m-%d %H:%M} UTC.'
            hint = " Publish the Google client, whose tokens last 7 days while it is in testing." * (
                token.provider == "google"
            )
            return f"{what} Run `replyby login {self._mailbox.name}`.{hint}"
        return None

    def _read(self) -> Token:
        token = read_token(self._path, self._mailbox.name)
        if (token.provider, token.client_id, token.username) != (
            self._mailbox.oauth,
            self._mailbox.client_id,
            self._mailbox.username,
        ):
            raise LoginRefused(
                f'mailbox "{self._mailbox.name}": oauth, client_id or username changed since the sign-in. '
                f"Run `replyby login {self._mailbox.name}`."
            )
        return token

    def _renew(self, token: Token, now: datetime) -> Token:
        try:
            grant = self._provider.renew(token.refresh_token)
        except Refused as refusal:
            raise LoginRefused(
                f'mailbox "{self._mailbox.name}": {self._provider.name} no longer renews the sign-in of '
                f"{self._mailbox.username} ({refusal.code}). Run `replyby login {self._mailbox.name}`."
            ) from None
        except ModuleNotFoundError:
            raise LoginRefused(f'mailbox "{self._mailbox.name}": {MISSING_EXTRA}') from None
        renewed = _with_grant(token, grant, now)
        try:
            record_token(self._path, renewed)
        except OSError as error:
            raise MailboxError(
                f"{self._path}: the renewed token cannot be kept: {error.strerror}. Make room, or check the folder's owner.",
                "login",
            ) from None
        return renewed


def build_provider(mailbox: MailboxConfig) -> Provider:
    """Return the house that a mailbox's `oauth` names."""
    return Google(mailbox) if mailbox.oauth == "google" else Microsoft(mailbox)


def record_sign_in(mailbox: MailboxConfig, grant: Grant, state_directory: Path, now: datetime) -> Path:
    """Keep what a sign-in gave and return the file.

    Raises:
        Refused: no refresh token came with it, so that it would end within the hour.
        OSError: the file cannot be written.
    """
    if grant.refresh_token is None:
        raise Refused("no_refresh_token")
    empty = Token(
        provider=mailbox.oauth,
        username=mailbox.username,
        client_id=mailbox.client_id,
        access_token="",
        access_expires_at=now,
        refresh_token="",
        signed_in_at=now,
        renewed_at=now,
    )
    path = token_path(state_directory, mailbox.name)
    record_token(path, _with_grant(empty, grant, now))
    return path


def _with_grant(token: Token, grant: Grant, now: datetime) -> Token:
    replaced = grant.refresh_token is not None
    unused = UNUSED_LIFE.get(token.provider)
    if grant.refresh_expires_in is not None:
        ends: datetime | None = now + grant.refresh_expires_in
    elif unused is not None:
        ends = now + unused
    else:
        ends = None if replaced else token.refresh_expires_at
    return replace(
        token,
        access_token=grant.access_token,
        access_expires_at=now + grant.expires_in,
        refresh_token=grant.refresh_token or token.refresh_token,
        renewed_at=now,
        refresh_expires_at=ends,
    )
