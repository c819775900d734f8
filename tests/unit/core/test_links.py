"""What Amazon's links say, and whose links say nothing."""

from urllib.parse import quote

import pytest

from monitor.core.links import MAX_URLS, NO_LINKS, find_urls, is_seller_central_host, read_links

SIGNED = "https://sellercentral.amazon.fr/messaging/no-response-needed?t=T1&m=M%2B1&mp=A13V1IB3VIYZZH&c=C1&h=ff&s=1"
REPORT = "https://sellercentral.amazon.fr/messaging/inbox?fi=caseId&ss=11-22&cc=11-22&ref=bsm_email_report&lc=fr_FR"


def test_signed_link_gives_its_five_facts() -> None:
    links = read_links([SIGNED])
    assert (links.thread_token, links.message_key, links.marketplace_id, links.merchant_id) == (
        "T1",
        "M+1",
        "A13V1IB3VIYZZH",
        "C1",
    )
    assert links.signed and links.complete and links.tells
    assert links.signed_url == SIGNED


def test_which_of_two_signed_links_is_the_mails_own_depends_on_who_wrote() -> None:
    earlier = SIGNED.replace("m=M%2B1", "m=M0")
    half = SIGNED.replace("&h=ff", "")
    assert read_links([earlier, SIGNED]).message_key == "M0"
    assert read_links([earlier, SIGNED], last=True).message_key == "M+1"
    assert read_links([SIGNED, half], last=True).message_key == "M+1"  # cut off: it says nothing
    elsewhere = read_links([SIGNED, earlier.replace("amazon.fr", "amazon.fr:8443")], last=True)
    assert (elsewhere.message_key, elsewhere.signed_url) == ("M0", None)


@pytest.mark.parametrize(
    "wrapped",
    [
        f"https://eur01.safelinks.protection.outlook.com/?url={quote(SIGNED, safe='')}&data=1",
        f"https://urldefense.com/v3/__{SIGNED}__;!!abc",
        f"https://urldefense.proofpoint.com/v2/url?u={quote(SIGNED, safe='').replace('-', '%2D').replace('%', '-')}&d=x",
        f"https://linkprotect.cudasvc.com/url?a={quote(SIGNED, safe='')}&c=E",
        f"https://www.google.com/url?q={quote(SIGNED, safe='')}",
        f"https://secure-web.cisco.com/1abc/{quote(SIGNED, safe='')}",
        f"https://urldefense.us/v3/__{SIGNED}__;!!abc",
        f"https://clicktime.symantec.com/15?u={quote(SIGNED, safe='')}&h=1",
        f"https://eur01.safelinks.protection.outlook.com/?url={quote(f'https://urldefense.us/v3/__{SIGNED}__;!!abc', safe='')}",
        SIGNED.replace("&", "&amp;"),
    ],
    ids=[
        *("safelinks", "urldefense-3", "urldefense-2", "barracuda", "google", "cisco", "urldefense-us", "symantec"),
        *("two-gateways", "entities"),
    ],
)
def test_wrapped_link_is_read_as_the_link_inside(wrapped: str) -> None:
    links = read_links([wrapped])
    assert links.message_key == "M+1"
    assert links.signed_url == SIGNED


@pytest.mark.parametrize(
    "url",
    [
        "https://sellercentral.amazon.fr.example.net/messaging/no-response-needed?t=1&m=2&h=3",
        "https://sellercentral.amazon.fr@evil.example/messaging/no-response-needed?t=1&m=2&h=3",
        "https://evil.example\\@sellercentral.amazon.fr/messaging/no-response-needed?t=1&m=2&h=3",
        "https://evil.example/?u=https://sellercentral.amazon.fr/messaging/no-response-needed?m=2&h=3",
        "https://evil.example/?amazon&nt=BBC_MESSAGE_SENT_TO_MERCHANT",
        "https://eur01.safelinks.protection.outlook.com/?amazon=1",
        "https://amazon",
        "https:///amazon/messaging/no-response-needed?m=1&h=2",
        "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2F%2Famazon",
        "https://www.google.com/url?q=amazon",
        "https://clicktime.symantec.com/15?u=https://evil.example/amazon/messaging/no-response-needed?m=1&h=2",
        "https://clicktime.symantec.com/amazon",
    ],
)
def test_links_of_others_say_nothing(url: str) -> None:
    links = read_links([url])
    assert not links.tells
    assert links.signed_url is None


def test_no_more_than_four_gateways_are_passed() -> None:
    wrapped = SIGNED
    for gateways in range(1, 6):
        wrapped = f"https://www.google.com/url?q={quote(wrapped, safe='')}"
        assert read_links([wrapped]).tells is (gateways < 5)


def test_imitated_host_is_remembered() -> None:
    assert read_links(
        ["https://sellercentral.amazon.fr.example.net/messaging/inbox?ref=bsm_email_report"]
    ).fake_host.endswith("example.net")
    assert read_links(["https://evil.example/amazon/messaging/no-response-needed?m=2"]).fake_host == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (SIGNED, True),
        (SIGNED.replace("https", "http"), False),
        (SIGNED.replace(".fr/", ".fr:8443/"), False),
        (SIGNED.replace(".fr/", ".fr:443/"), True),
        (SIGNED.replace("sellercentral.amazon.fr", "sellercentral-europe.amazon.com"), True),
        (SIGNED.replace("amazon.fr", "amazon.cl"), False),
        (SIGNED.replace("https://", "https://user@"), False),
    ],
)
def test_only_amazons_own_host_is_shown(url: str, shown: bool) -> None:
    links = read_links([url])
    assert links.signed
    assert (links.signed_url is not None) is shown


def test_link_elsewhere_at_amazon_is_not_signed() -> None:
    assert not read_links([SIGNED.replace("sellercentral.", "www.")]).signed


def test_first_complete_signed_link_wins() -> None:
    cut = "https://sellercentral.amazon.fr/messaging/no-response-needed?t=T1&m=M"
    assert read_links([cut]).signed
    assert read_links([cut]).message_key is None
    assert read_links([cut, SIGNED]).message_key == "M+1"
    assert read_links([SIGNED, cut]).message_key == "M+1"
    assert read_links([cut, cut]).message_key is None
    assert read_links([SIGNED, SIGNED.replace("M%2B1", "M2")]).message_key == "M+1"


def test_report_link_gives_the_page_of_the_case_without_its_mark() -> None:
    links = read_links([REPORT])
    assert links.report_host == "sellercentral.amazon.fr"
    assert links.inbox_url == "https://sellercentral.amazon.fr/messaging/inbox?fi=caseId&ss=11-22&cc=11-22"
    assert not read_links([links.inbox_url]).tells


def test_report_link_of_the_shop_gives_the_marketplace() -> None:
    links = read_links(["https://www.amazon.co.jp/messaging/812?marketplaceId=A1VC38T7YXB528&ref_=bsm_email_report"])
    assert (links.report_host, links.marketplace_id, links.inbox_url) == ("www.amazon.co.jp", "A1VC38T7YXB528", None)


def test_parameters_of_the_case_cannot_smuggle_anything() -> None:
    links = read_links([REPORT.replace("ss=11-22", "ss=%22%3E%3Cscript%3E").replace("cc=11-22", "cc=")])
    assert links.inbox_url == "https://sellercentral.amazon.fr/messaging/inbox?fi=caseId&ss=script"


@pytest.mark.parametrize("name", ["customAttribute1Value", "communicationName", "nt"])
def test_types_are_read_from_three_parameters(name: str) -> None:
    assert read_links([f"https://sellercentral.amazon.fr/x?{name}=REFUND_ISSUED&y=1"]).types == ("REFUND_ISSUED",)


@pytest.mark.parametrize("value", ["refund", "REFUND", "A_B" + "C" * 100, "%20"])
def test_values_that_are_no_tokens_are_no_types(value: str) -> None:
    assert read_links([f"https://sellercentral.amazon.fr/x?nt={value}"]).types == ()


def test_nothing_is_found_in_nothing() -> None:
    assert read_links([]) is NO_LINKS
    assert read_links(["https://acme.example/"]) is NO_LINKS


def test_addresses_end_where_the_sentence_goes_on() -> None:
    assert find_urls("see <https://a.example/x>, (https://b.example/y). end https://c.example/z。") == [
        "https://a.example/x", "https://b.example/y", "https://c.example/z",
    ]  # fmt: skip
    assert len(find_urls("https://a.example/x " * (MAX_URLS + 5))) == MAX_URLS


def test_seller_central_hosts() -> None:
    assert is_seller_central_host("sellercentral.amazon.com.br")
    assert not is_seller_central_host("sellercentral.amazon.com.br.example.net")
    assert not is_seller_central_host("sellercentral.amazon.evil.amazon.com")
    assert not is_seller_central_host("www.amazon.com")
