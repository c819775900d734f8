"""What a sample of headers tells about a mailbox."""

from monitor.sources.sampled_headers import count_authserv_ids, count_recipients, count_senders


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


def test_where_amazon_writes_to_is_told_by_a_tenth_of_its_mails_and_three() -> None:
    def amazon(to: str) -> bytes:
        return f"From: Amazon <donotreply@amazon.fr>\r\nTo: {to}\r\n\r\n".encode()

    ours = [amazon("Shop <Shop@Acme.example>")] * 30 + [amazon("orders@acme.example")] * 4
    strangers = [b"From: bo@example.net\r\nTo: bo@acme.example\r\n\r\n"] * 40
    sent_on = [amazon("thief@example.net")] * 3
    assert count_recipients([*ours, *strangers, *sent_on]) == ("shop@acme.example", "orders@acme.example")
    assert count_recipients([amazon("orders@acme.example")] * 2) == ()
    assert count_recipients([]) == ()
