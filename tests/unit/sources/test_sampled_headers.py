"""What a sample of headers tells about a mailbox."""

from monitor.sources.sampled_headers import count_authserv_ids, count_senders


def test_only_the_topmost_verdict_is_the_server_s_own() -> None:
    mail = b"Authentication-Results: (c) MX.acme.example 1;\r\n dkim=pass\r\nAuthentication-Results: evil.example; x\r\n\r\n"
    assert count_authserv_ids([mail, mail, b"Subject: x\r\n\r\n", mail]) == (("mx.acme.example", 0.75),)


def test_nothing_sampled_is_no_verdict() -> None:
    assert count_authserv_ids([]) == ()
    assert count_authserv_ids([b"Authentication-Results: ;\r\n\r\n"]) == ()


def test_senders_come_most_frequent_first_and_in_lower_case() -> None:
    ana, bo = b"From: Ana <Ana@Acme.example>\r\n\r\n", b"From: =?utf-8?q?B=C3=B6?= <bo@acme.example>\r\n\r\n"
    assert count_senders([bo, ana, ana, b"From: nobody\r\n\r\n", b"From: \xff\xfe <\xff>\r\n\r\n"]) == (
        "ana@acme.example",
        "bo@acme.example",
    )
