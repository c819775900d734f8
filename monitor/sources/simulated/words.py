"""What the invented buyers, the seller and the templates around them say, in twelve languages.

Data only. The delimiters are those seen in real mail where they are known, and likely ones elsewhere.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One template language. `{name}` and `{order}` are filled in.

    Attributes:
        topics: subject (None: the general one) and words, by topic; "product" is asked before there is an order.
        notices: subjects of return, refund, cancellation and claim.
    """

    code: str
    received: str
    opener: str
    closer: str
    solve: str
    report: str
    subject: str
    topics: dict[str, tuple[str | None, str]]
    reply: str
    short_reply: str
    thanks: str
    notices: tuple[str, str, str, str]
    copy_subject: str


ENGLISH = Language(
    code="en",
    received="You have received a message.",
    opener="Message:",
    closer="End message",
    solve="No response needed",
    report="Report suspicious activity",
    subject="Inquiry from Amazon customer {name} (Order: {order})",
    topics={
        "delivery": ("Package didn't arrive", "Hello, the tracking has not moved since Tuesday. Where is my parcel?"),
        "damaged": ("Damaged or defective item", "One of the two glasses arrived broken. Could you send another one?"),
        "return": (None, "The size does not fit. How do I send it back, and who pays for that?"),
        "invoice": ("Invoice request from Amazon customer {name} (Order: {order})", "Please send an invoice with VAT."),
        "cancel": (None, "I ordered twice by mistake. Please cancel this one if it has not left yet."),
        "product": ("Product details inquiry from Amazon customer {name}", "Does it work with a 12 V battery?"),
    },
    reply="Hello,\n\nthank you for writing. We are taking care of it today.\n\nKind regards\nYour support team",
    short_reply="You are welcome. Have a good day!",
    thanks="Perfect, thank you very much for the quick help!",
    notices=(
        "Return authorization notification for Order {order}",
        "Refund Initiated for Order {order}",
        "Cancellation request for order {order}",
        "Action required: Claim received on order {order}",
    ),
    copy_subject="Your e-mail to {name}",
)

FRENCH = Language(
    code="fr",
    received="Vous avez reçu un message.",
    opener="Message:",
    closer="Fin du message",
    solve="Aucune réponse nécessaire",
    report="Signaler une activité suspecte",
    subject="Demande de renseignements de la part du client Amazon {name} (Commande : {order})",
    topics={
        "delivery": ("Le colis n'est pas arrivé", "Bonjour, le colis devait arriver lundi. Où est-il ?"),
        "damaged": ("Article endommagé ou défectueux", "Le couvercle est fendu. Pouvez-vous m'en envoyer un autre ?"),
        "return": ("Je souhaite me rétracter", "Je voudrais renvoyer l'article. À quelle adresse ?"),
        "invoice": (None, "Pourriez-vous m'envoyer la facture avec la TVA ?"),
        "cancel": ("Demande d'annulation de commande", "J'ai commandé deux fois. Merci d'annuler celle-ci."),
        "product": ("Demande de renseignements du client Amazon {name}", "Quelle est la longueur du câble ?"),
    },
    reply="Bonjour,\n\nmerci de votre message. Nous nous en occupons dès aujourd'hui.\n\nCordialement\nLe service client",
    short_reply="Avec plaisir. Bonne journée !",
    thanks="Parfait, merci beaucoup pour votre aide rapide !",
    notices=(
        "Notification d'autorisation de retour pour la commande {order}",
        "Remboursement initié pour la commande {order}",
        "Demande d'annulation pour la commande {order}",
        "Action requise : réclamation reçue pour la commande {order}",
    ),
    copy_subject="Votre e-mail à {name}",
)

GERMAN = Language(
    code="de",
    received="Sie haben eine Nachricht erhalten.",
    opener="Nachricht:",
    closer="Ende der Nachricht",
    solve="Keine Antwort erforderlich",
    report="Verdächtige Aktivität melden",
    subject="Frage von Amazon-Kunde {name} (Bestellung: {order})",
    topics={
        "delivery": ("Paket nicht angekommen: Gutschrift anfordern(Bestellung: {order})", "Das Paket ist nicht da."),
        "damaged": (None, "Der Griff ist abgebrochen. Was kann ich tun?"),
        "return": (None, "Ich möchte den Artikel zurückschicken. Wohin bitte?"),
        "invoice": (None, "Bitte schicken Sie mir eine Rechnung mit ausgewiesener Umsatzsteuer."),
        "cancel": (None, "Bitte stornieren Sie die Bestellung, ich habe mich vertan."),
        "product": ("Frage zum Produkt von Amazon-Kunde {name}", "Passt das auch für Wände aus Gips?"),
    },
    reply="Guten Tag,\n\nvielen Dank für Ihre Nachricht. Wir kümmern uns heute darum.\n\nFreundliche Grüße\nIhr Kundendienst",
    short_reply="Gern geschehen. Einen schönen Tag!",
    thanks="Super, vielen Dank für die schnelle Hilfe!",
    notices=(
        "Rücksendeantrag für Bestellung {order}",
        "Erstattung veranlasst für Bestellung {order}",
        "Stornierungsanfrage für Bestellung {order}",
        "Handlung erforderlich: Antrag zu Bestellung {order} eingegangen",
    ),
    copy_subject="Ihre E-Mail an {name}",
)

ITALIAN = Language(
    code="it",
    received="Hai ricevuto un messaggio.",
    opener="Messaggio:",
    closer="Fine messaggio",
    solve="Nessuna risposta necessaria",
    report="Segnala attività sospette",
    subject="Richiesta dal cliente Amazon {name} (Ordine: {order})",
    topics={
        "delivery": ("Pacco non arrivato", "Il pacco risulta consegnato, ma io non ho ricevuto nulla."),
        "damaged": ("Articolo danneggiato o difettoso", "È arrivato rotto. Vorrei un altro pezzo."),
        "return": (None, "Vorrei restituirlo, come si fa?"),
        "invoice": (None, "Mi serve la fattura, grazie."),
        "cancel": (None, "Vorrei annullare l'ordine."),
        "product": ("Richiesta sul prodotto dal cliente Amazon {name}", "È adatto alla lavastoviglie?"),
    },
    reply="Buongiorno,\n\ngrazie per averci scritto. Ce ne occupiamo oggi stesso.\n\nCordiali saluti\nIl servizio clienti",
    short_reply="Grazie a lei, buona giornata!",
    thanks="Perfetto, grazie mille per l'aiuto!",
    notices=(
        "Notifica di autorizzazione del reso per l'ordine {order}",
        "rimborso 19.01 EUR avviato - ordine {order}",
        "Richiesta di annullamento per l'ordine numero: {order}",
        "Richiesta di rimborso ricevuta per l'ordine {order}",
    ),
    copy_subject="La tua e-mail a {name}",
)

SPANISH = Language(
    code="es",
    received="Has recibido un mensaje.",
    opener="Message:",
    closer="Finalizar mensaje",
    solve="No se necesita respuesta",
    report="Informar de actividad sospechosa",
    subject="Consulta del cliente de Amazon {name} (Pedido: {order})",
    topics={
        "delivery": ("El paquete no ha llegado", "Hola, ¿dónde está mi paquete? Tenía que llegar ayer."),
        "damaged": ("Artículo dañado o defectuoso", "Llegó con la pantalla rayada. ¿Qué hacemos?"),
        "return": (None, "Quiero devolverlo. ¿Me mandan una etiqueta?"),
        "invoice": (None, "¿Me pueden enviar la factura?"),
        "cancel": ("Solicitud de cancelación del pedido {order}", "Cancelen el pedido, por favor."),
        "product": ("Consulta sobre detalles del producto del cliente de Amazon {name}", "¿Incluye el cargador?"),
    },
    reply="Hola:\n\ngracias por escribirnos. Nos ocupamos hoy mismo.\n\nUn saludo\nAtención al cliente",
    short_reply="Gracias a usted. ¡Buen día!",
    thanks="¡Perfecto, muchas gracias por la ayuda!",
    notices=(
        "Notificación de autorización de devolución del pedido {order}",
        "Reembolso iniciado del pedido {order}",
        "Solicitud de cancelación del pedido {order}",
        "Acción necesaria: reclamación recibida del pedido {order}",
    ),
    copy_subject="Tu correo a {name}",
)

MEXICAN = Language(
    code="es-MX",
    received="Recibiste un mensaje.",
    opener="Mensaje:",
    closer="Finalizar mensaje",
    solve=SPANISH.solve,
    report="Reportar actividad sospechosa",
    subject="Consulta del cliente de Amazon {name} (Pedido: {order})",
    topics=SPANISH.topics,
    reply=SPANISH.reply,
    short_reply=SPANISH.short_reply,
    thanks=SPANISH.thanks,
    notices=SPANISH.notices,
    copy_subject="Tu correo electrónico para {name}",
)

PORTUGUESE = Language(
    code="pt",
    received="Você recebeu uma mensagem.",
    opener="Mensagem:",
    closer="Encerrar mensagem",
    solve="Nenhuma resposta necessária",
    report="Denunciar atividade suspeita",
    subject="Pergunta do cliente Amazon {name} (Pedido: {order})",
    topics={
        "delivery": (None, "Olá, o pacote ainda não chegou. Podem verificar?"),
        "damaged": (None, "Veio quebrado. Quero a troca, por favor."),
        "return": (None, "Como faço para devolver?"),
        "invoice": (None, "Preciso da nota fiscal."),
        "cancel": (None, "Comprei errado, podem cancelar?"),
        "product": ("Detalhes do produto Amazon {name} pergunta do cliente", "Serve para 220 volts?"),
    },
    reply="Olá,\n\nobrigado pela mensagem. Vamos resolver ainda hoje.\n\nAtenciosamente\nAtendimento",
    short_reply="Nós que agradecemos!",
    thanks="Deu certo, muito obrigado!",
    notices=(
        "Notificação de autorização de devolução do pedido {order}",
        "Reembolso iniciado para o pedido {order}",
        "Solicitação de cancelamento do pedido {order}",
        "Ação necessária: reivindicação recebida do pedido {order}",
    ),
    copy_subject="Seu e-mail para {name}",
)

DUTCH = Language(
    code="nl",
    received="Je hebt een bericht ontvangen.",
    opener="Bericht:",
    closer="Einde bericht",
    solve="Geen antwoord nodig",
    report="Verdachte activiteit melden",
    subject="Vraag van Amazon-klant {name} (Bestelling: {order})",
    topics={
        "delivery": (None, "Hallo, het pakket is nog niet aangekomen."),
        "damaged": (None, "De doos was open en er mist een onderdeel."),
        "return": (None, "Ik wil het graag terugsturen."),
        "invoice": ("Factuuraanvraag van Amazon-klant {name} (Bestelling: {order})", "Graag een factuur met btw."),
        "cancel": (None, "Kan de bestelling nog worden geannuleerd?"),
        "product": ("Productvraag van Amazon-klant {name}", "Is het waterdicht?"),
    },
    reply="Hallo,\n\nbedankt voor je bericht. We regelen het vandaag.\n\nMet vriendelijke groet\nKlantenservice",
    short_reply="Graag gedaan!",
    thanks="Top, bedankt voor de snelle hulp!",
    notices=ENGLISH.notices,
    copy_subject="Je e-mail aan {name}",
)

SWEDISH = Language(
    code="sv",
    received="Du har fått ett meddelande.",
    opener="Meddelande:",
    closer="Slut på meddelandet",
    solve="Inget svar behövs",
    report="Rapportera misstänkt aktivitet",
    subject="Förfrågan från Amazon-kund {name} (Beställning: {order})",
    topics={
        "delivery": (None, "Hej, paketet har inte kommit fram."),
        "damaged": (None, "Varan var trasig när den kom."),
        "return": (None, "Hur gör jag för att lämna tillbaka den?"),
        "invoice": (None, "Kan jag få ett kvitto med moms?"),
        "cancel": (None, "Jag vill avbeställa."),
        "product": ("Produktfråga från Amazon-kund {name}", "Vilken storlek motsvarar 38?"),
    },
    reply="Hej,\n\ntack för ditt meddelande. Vi ordnar det i dag.\n\nVänliga hälsningar\nKundtjänst",
    short_reply="Tack själv!",
    thanks="Toppen, tack för snabb hjälp!",
    notices=ENGLISH.notices,
    copy_subject="Ditt e-postmeddelande till {name}",
)

POLISH = Language(
    code="pl",
    received="Masz nową wiadomość.",
    opener="Wiadomość:",
    closer="Koniec wiadomości",
    solve="Odpowiedź nie jest wymagana",
    report="Zgłoś podejrzaną aktywność",
    subject="Zapytanie od klienta Amazon {name} (Zamówienie: {order})",
    topics={
        "delivery": (None, "Dzień dobry, paczka jeszcze nie dotarła."),
        "damaged": (None, "Produkt przyszedł uszkodzony."),
        "return": (None, "Jak mogę zwrócić towar?"),
        "invoice": (None, "Proszę o fakturę VAT."),
        "cancel": (None, "Proszę anulować zamówienie."),
        "product": ("Pytanie o produkt od klienta Amazon {name}", "Czy pasuje do roweru 28 cali?"),
    },
    reply="Dzień dobry,\n\ndziękujemy za wiadomość. Zajmiemy się tym dzisiaj.\n\nPozdrawiamy\nObsługa klienta",
    short_reply="Dziękujemy i miłego dnia!",
    thanks="Świetnie, dziękuję za szybką pomoc!",
    notices=ENGLISH.notices,
    copy_subject="Twój e-mail do {name}",
)

TURKISH = Language(
    code="tr",
    received="Bir mesajınız var.",
    opener="Mesaj:",
    closer="Mesajın sonu",
    solve="Yanıt gerekmiyor",
    report="Şüpheli etkinliği bildir",
    subject="Amazon müşterisi {name} sorusu (Sipariş: {order})",
    topics={
        "delivery": (None, "Merhaba, kargom hâlâ gelmedi."),
        "damaged": (None, "Ürün kırık geldi."),
        "return": (None, "İade etmek istiyorum."),
        "invoice": (None, "Faturamı gönderir misiniz?"),
        "cancel": (None, "Siparişi iptal edebilir misiniz?"),
        "product": ("Amazon müşterisi {name} ürün sorusu", "Garantisi kaç yıl?"),
    },
    reply="Merhaba,\n\nmesajınız için teşekkürler. Bugün ilgileniyoruz.\n\nSaygılarımızla\nMüşteri hizmetleri",
    short_reply="Rica ederiz!",
    thanks="Harika, hızlı yardım için teşekkürler!",
    notices=ENGLISH.notices,
    copy_subject="{name} adlı kişiye e-postanız",
)

JAPANESE = Language(
    code="ja",
    received="メッセージを受信しました。",
    opener="メッセージ:",
    closer="メッセージはここまで",
    solve="返信は不要です",
    report="不審な行為を報告する",
    subject="Amazonのカスタマー {name} 様からのお問い合わせ(注文: {order})",
    topics={
        "delivery": (None, "荷物がまだ届きません。確認をお願いします。"),
        "damaged": (None, "届いた商品が壊れていました。交換してください。"),
        "return": (None, "サイズが合わないので返品したいです。"),
        "invoice": (None, "領収書を送ってください。"),
        "cancel": (None, "間違えて注文しました。キャンセルできますか。"),
        "product": ("Amazonのカスタマー {name} 様からの商品に関するお問い合わせ", "電池は付属していますか。"),
    },
    reply="お問い合わせありがとうございます。\n本日中に対応いたします。\n\nカスタマーサポート",
    short_reply="こちらこそありがとうございました。",
    thanks="早速のご対応ありがとうございました。",
    notices=ENGLISH.notices,
    copy_subject="{name} 様へのEメール",
)

# The template follows the seller's settings in each marketplace, the words follow the buyer.
TEMPLATES = {
    "MX": MEXICAN, "BR": PORTUGUESE, "DE": GERMAN, "FR": FRENCH, "IT": ITALIAN, "ES": SPANISH, "NL": DUTCH, "BE": DUTCH,
    "SE": SWEDISH, "PL": POLISH, "TR": TURKISH, "JP": JAPANESE,
}  # fmt: skip

ARABIC_WORDS = {
    "delivery": "مرحبا، لم يصل الطرد بعد. أين هو؟",
    "damaged": "وصل المنتج مكسورا. أريد بديلا من فضلكم.",
    "return": "كيف يمكنني إرجاع المنتج؟",
    "invoice": "أرجو إرسال الفاتورة.",
    "cancel": "أريد إلغاء الطلب.",
    "product": "هل يعمل على 220 فولت؟",
}

NAMES = {
    "en": ("Ada", "Grace", "Noah", "Olive", "Rowan", "Tess", "Wilf", "Zoe"),
    "fr": ("Anouk", "Basile", "Chloé", "Élodie", "Loïc", "Margaux"),
    "de": ("Anke", "Jörg", "Lotte", "Marlene", "Sönke", "Uwe"),
    "it": ("Alba", "Duccio", "Ginevra", "Nicolò", "Ornella"),
    "es": ("Begoña", "Iñaki", "Lucía", "Nuria", "Pilar"),
    "pt": ("Beatriz", "Caio", "João", "Luíza", "Tainá"),
    "nl": ("Femke", "Joris", "Lieke", "Sjoerd"),
    "sv": ("Åsa", "Elin", "Göran", "Linnéa"),
    "pl": ("Agnieszka", "Łukasz", "Michał", "Zofia"),
    "tr": ("Ayşe", "Çağrı", "Elif", "Oğuz"),
    "ar": ("ليلى", "سامي", "نور"),
    "ja": ("佐藤", "鈴木", "高橋", "田中"),
}

ITEMS = (
    "Glass teapot, 0.8 l",
    "Bicycle light set",
    "Wall shelf, oak",
    "Garden hose reel",
    "Desk lamp with clamp",
    "Set of 2 mugs",
    "Cable organiser",
    "Yoga mat, 6 mm",
)
