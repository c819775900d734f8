"""The language of a buyer's words, never of the template around them.

Owns the detector: the script decides where it can; short words that only one language has vote next; a trained model
(lingua, low-accuracy mode: 30 MB and 0.1 s to load, where its full mode takes 280 MB and py3langid 130 MB) breaks ties.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingua import LanguageDetector

MAX_LETTERS = 600
"""Characters looked at."""

_WORD = re.compile(r"[^\W\d_]+")
_NOT_WORDS = re.compile(r"https?://\S+|\S+@\S+|\b\w*\d\w*\b")
_ODD = re.compile(r"\d|@|://")
_SCRIPTS: tuple[tuple[str, str], ...] = (
    ("ja", "\u3040-\u30ff"),
    ("ko", "\uac00-\ud7af\u1100-\u11ff"),
    ("zh", "\u3400-\u9fff"),
    ("he", "\u0590-\u05ff"),
    ("el", "\u0370-\u03ff"),
    ("th", "\u0e00-\u0e7f"),
    ("hi", "\u0900-\u097f"),
    ("ta", "\u0b80-\u0bff"),
    ("te", "\u0c00-\u0c7f"),
    ("bn", "\u0980-\u09ff"),
)
_BEYOND_LATIN = re.compile("[\u0370-\u1dff\u2e80-\uffef]")
_ARABIC = re.compile("[\u0600-\u06ff]")
_PERSIAN = re.compile("[پچژگ]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_UKRAINIAN = re.compile("[іїєґ]", re.IGNORECASE)
_SCRIPT_TESTS = tuple((code, re.compile(f"[{letters}]")) for code, letters in _SCRIPTS)

_COMMON: dict[str, str] = {
    "en": "the and is my you have not was this it for with where when i please what are has been order but from your will can "
    "hello hi would thank thanks received package parcel item how do does still today yesterday broken arrived an of to",
    "fr": "le la les et est je vous ne pas que une mon ma mes pour avec où bonjour merci commande colis reçu c'est dans sur "
    "avez votre nous ce qui suis bonsoir toujours cordialement livraison du des au svp quand comment j ai été produit",
    "de": "der die das und ist ich nicht sie mein meine bitte wo haben habe ein eine mit für auf hallo danke paket bestellung "
    "wann noch ihre ihr wurde guten tag wie zu den von bei kann vielen dank grüße leider kaputt angekommen wird sehr dem",
    "es": "el los las y es no que mi por con para una hola gracias pedido paquete dónde está cuando llegado quiero "
    "recibido buenos días usted pero muy se ha del como favor necesito producto todavía aún he lo su estado tiene cómo",
    "it": "il gli e è non che mio mia per con una ciao grazie ordine pacco dove sono quando arrivato vorrei ho ricevuto "
    "buongiorno della dello nel ma si ancora salve cordiali saluti prodotto vostro perché buonasera anche come mi di era rotto",
    "nl": "de het een en is ik niet mijn dit dat van met voor waar wanneer hallo bedankt bestelling pakket ontvangen nog "
    "heb kunt u jullie graag alvast dank goedendag maar zijn ben wordt naar hoe kan geen op er te artikel kapot dag al",
    "pt": "o os e é não que meu minha para com uma olá obrigado obrigada pedido encomenda onde está quando chegou quero "
    "recebi bom dia você mas muito foi ainda por favor como são produto gostaria boa tarde eu seu sua à já ao do da em um",
    "pl": "i w nie jest się na do to z moja mój proszę dzień dobry gdzie kiedy zamówienie paczka dziękuję otrzymałem czy "
    "jak że mam za przesyłka jeszcze ale od był była pozdrawiam przesyłki mi co dla uszkodzony towar jestem po o",
    "sv": "och är jag inte det att en ett på för med min mitt hej tack paket beställning var när har fått som vill kan ni "
    "vänliga hälsningar varan men av den till om skulle mycket god dag ännu kommit fick trasig från vad hur så mig",
    "tr": "ve bir bu için değil ne nerede merhaba teşekkürler teşekkür ederim sipariş siparişim kargo kargom ürün var mı mi "
    "ben çok lütfen ama henüz gelmedi iyi günler nasıl zaman ile hala geldi bana kadar daha sizden kırık rica aldım",
    "da": "og er jeg ikke det at en et på til med min mit hej tak pakke ordre hvor hvornår har fået af som vil kan i "
    "venlig hilsen den men eller mig endnu modtaget god dag meget for fra hvad hvordan min bestilling der blev",
    "nb": "og er jeg ikke det at en et på til med min mitt hei takk pakke pakken ordre hvor når har fått av som vil kan dere "
    "vennlig hilsen den men eller meg ennå mottatt god dag veldig for fra hva hvordan bestilling der ble",
    "fi": "ja on ei en se että minun tilaus tilaukseni paketti pakettini missä milloin kiitos hei olen tuote ole vielä mutta "
    "kun tämä voitteko terveisin saanut ovat kanssa oli hyvää päivää myös saapunut rikki",
    "cs": "a je ne se na že to v s můj moje prosím dobrý den kde kdy objednávka balík děkuji jsem ještě ale zásilka jak "
    "mám pro už není byl byla objednávku zboží nebo ahoj přišel",
    "ro": "și este nu că la cu un o pentru mea meu bună ziua mulțumesc comanda coletul unde când am primit vă rog dar încă "
    "produsul sunt de din ați mi ce livrare ajuns",
    "hu": "a az és nem hogy van egy én csomag csomagom rendelés rendelésem hol mikor köszönöm kérem jó napot meg még de "
    "termék érkezett kaptam üdvözlettel szia is volt lehet el",
}  # fmt: skip


@cache
def _votes() -> dict[str, tuple[tuple[str, float], ...]]:
    """Return for each common word the languages it speaks for, weighed down where several have it."""
    owners: dict[str, list[str]] = {}
    for code, words in _COMMON.items():
        for word in set(words.split()):
            owners.setdefault(word, []).append(code)
    return {word: tuple((code, 1.0 / len(codes)) for code in codes) for word, codes in owners.items()}


@cache
def _detector() -> "LanguageDetector":
    from lingua import IsoCode639_1, Language, LanguageDetectorBuilder

    languages = [Language.from_iso_code_639_1(getattr(IsoCode639_1, code.upper())) for code in _COMMON]
    return LanguageDetectorBuilder.from_languages(*languages).with_low_accuracy_mode().build()


def detect_language(text: str) -> str | None:
    """Return the ISO 639-1 code of the words' language, None where there is too little to tell.

    Args:
        text: the buyer's own words, without template.
    """
    text = text[: 4 * MAX_LETTERS]
    if not text.isascii() and _BEYOND_LATIN.search(text):
        script = _by_script(text)
        if script is not None:
            return script
    text = text[:MAX_LETTERS].lower()
    words = _WORD.findall(_NOT_WORDS.sub(" ", text) if _ODD.search(text) else text)
    if not words:
        return None
    scores: dict[str, float] = {}
    votes = _votes()
    for word in words:
        for code, weight in votes.get(word, ()):
            scores[code] = scores.get(code, 0.0) + weight
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    if ranked:
        second = ranked[1][1] if len(ranked) > 1 else 0.0
        if ranked[0][1] >= 1.0 and ranked[0][1] >= 1.4 * second:
            return ranked[0][0]
    if sum(map(len, words)) < 4:
        return None
    detected = _detector().detect_language_of(" ".join(words))
    if detected is None:
        return ranked[0][0] if ranked else None
    code = detected.iso_code_639_1.name.lower()
    if ranked and scores.get(code, 0.0) < 0.5 * ranked[0][1]:
        return ranked[0][0]
    return code


def _by_script(text: str) -> str | None:
    letters = len(_WORD.findall(text)) or 1
    for code, test in _SCRIPT_TESTS:
        count = len(test.findall(text))
        if count and count * 3 >= letters:
            return code
    if len(_ARABIC.findall(text)) > letters:
        return "fa" if _PERSIAN.search(text) else "ar"
    if len(_CYRILLIC.findall(text)) > letters:
        return "uk" if _UKRAINIAN.search(text) else "ru"
    return None
