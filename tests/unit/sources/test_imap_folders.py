"""Which folders are read, and in what role."""

import pytest

from monitor.config.model import MailboxConfig
from monitor.core.messages import Where
from monitor.sources.folder_names import encode_folder_name
from monitor.sources.imap_folders import plan_folders
from monitor.sources.imap_protocol import Folder


def folder(name: str, *attributes: str) -> Folder:
    return Folder(name, encode_folder_name(name), frozenset(attributes))


def mailbox(**changes: object) -> MailboxConfig:
    return MailboxConfig(name="support", type="imap", accounts=("acme",), **changes)  # type: ignore[arg-type]


GMAIL = [
    folder("INBOX"),
    folder("[Gmail]/Tous les messages", "\\all"),
    folder("[Gmail]/Messages envoyés", "\\sent"),
    folder("[Gmail]/Spam", "\\junk"),
    folder("[Gmail]/Corbeille", "\\trash"),
]
EXCHANGE = [folder("INBOX"), folder("Gesendete Elemente"), folder("Junk-E-Mail"), folder("Entwürfe")]
COURIER = [folder("INBOX"), folder("INBOX.Sent"), folder("INBOX.Spam")]


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        pytest.param(
            GMAIL, ["[Gmail]/Tous les messages", "[Gmail]/Messages envoyés", "[Gmail]/Spam"], id="special uses"
        ),
        pytest.param(EXCHANGE, ["INBOX", "Gesendete Elemente", "Junk-E-Mail"], id="names only"),
        pytest.param(COURIER, ["INBOX", "INBOX.Sent", "INBOX.Spam"], id="below the inbox"),
        pytest.param([folder("Inbox")], ["Inbox"], id="an inbox in other letters"),
    ],
)
def test_folders_are_found_by_themselves(folders: list[Folder], expected: list[str]) -> None:
    plan = plan_folders(folders, mailbox(), "imap.acme.example:993")
    assert [one.folder.name for one in plan.folders] == expected
    assert [one.where for one in plan.folders] == [Where.INBOX, Where.SENT, Where.JUNK][: len(expected)]
    assert plan.missing == ()


def test_names_win_over_special_uses_and_none_is_read_twice() -> None:
    plan = plan_folders(GMAIL, mailbox(folders=("INBOX", "[Gmail]/Spam"), sent="", junk="auto"), "host:993")
    assert [(one.folder.name, one.where) for one in plan.folders] == [
        ("INBOX", Where.INBOX),
        ("[Gmail]/Spam", Where.INBOX),
    ]


def test_a_name_may_be_given_as_the_server_writes_it() -> None:
    plan = plan_folders(EXCHANGE, mailbox(folders=("Entw&APw-rfe",)), "host:993")
    assert plan.folders[0].folder.name == "Entwürfe"


def test_each_missing_name_is_told_with_the_folders_there_are() -> None:
    plan = plan_folders(COURIER, mailbox(folders=("INBOX", "Amazn"), sent="Gone"), "host:993")
    assert [one.folder.name for one in plan.folders] == ["INBOX", "INBOX.Spam"]
    assert [str(error) for error in plan.missing] == [
        f'host:993: folder "{name}" does not exist. Folders: INBOX, INBOX.Sent, INBOX.Spam. '
        'Correct [[mailbox]] "support".'
        for name in ("Amazn", "Gone")
    ]
    assert all(error.reason == "folder" for error in plan.missing)


def test_a_mailbox_without_sent_or_junk_is_read_all_the_same() -> None:
    plan = plan_folders([folder("INBOX")], mailbox(), "host:993")
    assert [one.folder.name for one in plan.folders] == ["INBOX"]
    assert plan.missing == ()
