"""A holding reply, prefilled: Amazon counts "we are looking into it" as a reply, and a person only has to press send."""

from urllib.parse import quote

_WORDS = {
    "en": (
        "Your message",
        "Hello,\n\nthank you for your message. We are looking into it and will answer within one working day.\n",
    ),
    "de": (
        "Ihre Nachricht",
        "Guten Tag,\n\nvielen Dank für Ihre Nachricht. Wir kümmern uns darum und antworten Ihnen innerhalb eines Werktags.\n",
    ),
    "fr": (
        "Votre message",
        "Bonjour,\n\nmerci pour votre message. Nous nous en occupons et vous répondrons sous un jour ouvré.\n",
    ),
    "es": (
        "Su mensaje",
        "Hola:\n\nGracias por su mensaje. Lo estamos revisando y le responderemos en un día laborable.\n",
    ),
    "it": (
        "Il suo messaggio",
        "Buongiorno,\n\ngrazie per il suo messaggio. Ce ne stiamo occupando e le risponderemo entro un giorno lavorativo.\n",
    ),
    "nl": (
        "Uw bericht",
        "Goedendag,\n\nbedankt voor uw bericht. We zoeken het uit en antwoorden binnen één werkdag.\n",
    ),
    "pt": (
        "Sua mensagem",
        "Olá,\n\nobrigado pela sua mensagem. Estamos verificando e responderemos em um dia útil.\n",
    ),
    "pl": (
        "Wiadomość od Państwa",
        "Dzień dobry,\n\ndziękujemy za wiadomość. Sprawdzamy sprawę i odpowiemy w ciągu jednego dnia roboczego.\n",
    ),
    "sv": (
        "Ditt meddelande",
        "Hej,\n\ntack för ditt meddelande. Vi tittar på ärendet och svarar inom en arbetsdag.\n",
    ),
}


def holding_reply_url(address: str, order_id: str | None, language: str | None) -> str:
    """Return a `mailto:` address with subject and body in the buyer's language, English where there are no words in it.

    Args:
        address: where a reply by mail goes, the buyer's alias with its suffix.
        order_id: stands in the subject, so that the reply finds its thread.
        language: ISO 639-1 code.
    """
    subject, body = _WORDS.get(language or "", _WORDS["en"])
    if order_id:
        subject = f"{subject} ({order_id})"
    return f"mailto:{quote(address, safe='@+.-_')}?subject={quote(subject)}&body={quote(body)}"
