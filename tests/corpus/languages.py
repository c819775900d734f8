# ruff: noqa: E501
"""Invented template lines and buyers' words, by language. No line here is needed by the recognition."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """What Amazon writes around the words. `held_out`: never used in the committed corpus, only on fresh mails."""

    code: str
    greeting: str
    opener: str
    closer: str
    helpful: str
    solve: str
    report: str
    legal: str
    inquiry: str
    held_out: bool = False


TEMPLATES: tuple[Template, ...] = (
    Template("en", "You have received a message.", "Message:", "End message", "Was this email helpful?",
             "Mark as no response needed", "Report questionable activity", "Copyright Amazon. All rights reserved.",
             "Inquiry from Amazon customer {name} (Order: {order})"),
    Template("en-2016", "You have received a message from an Amazon buyer.", "Begin message", "End message", "Helpful?",
             "No response needed:", "Report:", "Amazon Services LLC", "Product details inquiry from {name} (Order: {order})"),
    Template("fr", "Vous avez reçu un message.", "Message:", "Fin du message", "Cet e-mail vous a-t-il aidé ?",
             "Aucune réponse nécessaire :", "Signaler une activité suspecte :", "Tous droits réservés. Amazon Europe.",
             "Demande de renseignements de la part du client Amazon {name} (Commande : {order})"),
    Template("it", "Hai ricevuto un messaggio.", "Messaggio:", "Fine messaggio", "Questa e-mail è stata utile?",
             "Nessuna risposta necessaria", "Segnala attività sospetta", "Tutti i diritti riservati.",
             "Richiesta di informazioni dal cliente Amazon {name} (Ordine: {order})"),
    Template("es", "Ha recibido un mensaje.", "Message:", "Finalizar mensaje", "¿Le ha resultado útil?",
             "No se necesita respuesta", "Denunciar actividad", "Todos los derechos reservados.",
             "Consulta del cliente de Amazon {name} (Pedido: {order})"),
    Template("es-mx", "Has recibido un mensaje.", "Mensaje:", "Finalizar mensaje", "¿Te resultó útil?",
             "No requiere respuesta", "Reportar", "Derechos reservados.",
             "Consulta sobre detalles del producto del cliente de Amazon {name} (Pedido: {order})"),
    Template("pt", "Você recebeu uma mensagem.", "Mensagem:", "Encerrar mensagem", "Este e-mail foi útil?",
             "Nenhuma resposta necessária", "Denunciar", "Todos os direitos reservados.",
             "Pergunta do cliente Amazon {name} (Pedido: {order})"),
    Template("ja", "メッセージが届きました。", "メッセージ：", "メッセージはここまで", "このメールは役に立ちましたか?",
             "返信不要にする", "報告する", "無断転載を禁じます。", "Amazonのカスタマー {name} 様からのお問い合わせ(注文: {order})"),
    Template("de", "Sie haben eine Nachricht erhalten.", "Nachricht:", "Ende der Nachricht", "War diese E-Mail hilfreich?",
             "Keine Antwort erforderlich", "Melden", "Alle Rechte vorbehalten.",
             "Frage von Amazon-Kunde {name}(Bestellung: {order})"),
    Template("nl", "Je hebt een bericht ontvangen.", "Bericht:", "Einde bericht", "Was deze e-mail nuttig?",
             "Geen antwoord nodig", "Rapporteren", "Alle rechten voorbehouden.",
             "Vraag van Amazon-klant {name} (Bestelling: {order})"),
    Template("pl", "Otrzymano wiadomość.", "Wiadomość:", "Koniec wiadomości", "Czy ten e-mail był pomocny?",
             "Odpowiedź nie jest wymagana", "Zgłoś", "Wszelkie prawa zastrzeżone.",
             "Zapytanie od klienta Amazon {name} (Zamówienie: {order})"),
    Template("sv", "Du har fått ett meddelande.", "Meddelande:", "Slut på meddelandet", "Var mejlet till hjälp?",
             "Inget svar behövs", "Rapportera", "Med ensamrätt.", "Fråga från Amazon-kund {name} (Beställning: {order})"),
    Template("tr", "Bir mesaj aldınız.", "Mesaj:", "Mesajın sonu", "Bu e-posta yardımcı oldu mu?",
             "Yanıt gerekmiyor", "Bildir", "Tüm hakları saklıdır.", "Amazon müşterisi {name} sorusu (Sipariş: {order})"),
    Template("ar", "لقد تلقيت رسالة.", "\u202bالرسالة:\u202c", "\u202bنهاية الرسالة\u202c", "هل كان هذا مفيدًا؟",
             "لا حاجة للرد", "الإبلاغ", "جميع الحقوق محفوظة.", "استفسار من عميل أمازون {name} (الطلب: {order})"),
    Template("en-fr", "You have received a message. / Vous avez reçu un message.", "Message / Message :",
             "End message / Fin du message", "Helpful? / Utile ?", "No response needed / Sans réponse", "Report / Signaler",
             "All rights reserved. / Tous droits réservés.", "Inquiry / Demande {name} (Order: {order})"),
    Template("zh", "您收到一条消息。", "消息：", "消息结束", "此邮件有帮助吗？", "无需回复", "举报", "版权所有。",
             "亚马逊买家 {name} 的咨询（订单：{order}）", held_out=True),
    Template("ko", "메시지를 받았습니다.", "메시지:", "메시지 끝", "도움이 되었나요?", "답변 불필요", "신고", "판권 소유.",
             "아마존 고객 {name} 문의 (주문: {order})", held_out=True),
    Template("el", "Λάβατε ένα μήνυμα.", "Μήνυμα:", "Τέλος μηνύματος", "Ήταν χρήσιμο;", "Δεν χρειάζεται απάντηση", "Αναφορά",
             "Με την επιφύλαξη παντός δικαιώματος.", "Ερώτηση πελάτη {name} (Παραγγελία: {order})", held_out=True),
    Template("fi", "Olet saanut viestin.", "Viesti", "Viestin loppu", "Oliko tästä apua?", "Vastausta ei tarvita", "Ilmoita",
             "Kaikki oikeudet pidätetään.", "Kysymys asiakkaalta {name} (Tilaus: {order})", held_out=True),
    Template("he", "קיבלת הודעה.", "\u200fהודעה:", "\u200fסוף ההודעה", "האם זה עזר?", "אין צורך בתשובה", "דיווח",
             "כל הזכויות שמורות.", "פנייה מלקוח {name} (הזמנה: {order})", held_out=True),
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """A buyer's words with the label they must get ("" for none that is required)."""

    language: str
    text: str
    label: str = ""


WORDS: tuple[Said, ...] = (
    Said("en", "Hello,\n\nmy parcel still has not arrived. Where is it?\n\nRegards", "delivery"),
    Said("en", "The lamp arrived broken. I would like my money back please.", "damaged"),
    Said("en", "Can I return this item? It is too small.", "return"),
    Said("en", "I will open an A-to-Z claim if I do not hear from you today!", "claim_threat"),
    Said("en", "Thank you so much, it arrived.", "thank_you"),
    Said(
        "en", "Is this compatible with the model from 2024? My old order was 111-2223334-4445556.", "product_question"
    ),
    Said("fr", "Bonjour, je n'ai toujours pas reçu ma commande.\n\nPouvez-vous me dire où est mon colis ?", "delivery"),
    Said("fr", "Bonjour,\nl'article est cassé, je souhaite un remboursement.\nMerci d'avance", "damaged"),
    Said("fr", "Pouvez-vous m'envoyer la facture avec la TVA s'il vous plaît ?", "invoice"),
    Said("fr", "Merci beaucoup, tout est parfait.", "thank_you"),
    Said(
        "de", "Guten Tag,\n\nwo bleibt mein Paket? Es ist noch nicht angekommen.\n\nMit freundlichen Grüßen", "delivery"
    ),
    Said("de", "Ich möchte die Ware zurückgeben, sie ist leider defekt.", "damaged"),
    Said("de", "Bitte stornieren Sie meine Bestellung.", "cancellation"),
    Said("es", "Hola, el producto llegó roto y quiero devolverlo.", "damaged"),
    Said("es", "Buenos días, ¿dónde está mi pedido? No ha llegado todavía.", "delivery"),
    Said("it", "Buongiorno, il pacco non è arrivato.\nVorrei sapere dove sono i miei prodotti.", "delivery"),
    Said("it", "Vorrei il rimborso, il prodotto non funziona.", "damaged"),
    Said("nl", "Hallo, mijn bestelling is nog niet bezorgd. Waar blijft het pakket?", "delivery"),
    Said("pt", "Olá, meu pedido ainda não chegou. Quando chega?", "delivery"),
    Said("pt", "Você pode me enviar a nota fiscal?", "invoice"),
    Said("pl", "Dzień dobry, gdzie jest moja paczka? Nie dotarła do mnie.", "delivery"),
    Said("sv", "Hej! Var är mitt paket? Det har inte kommit än.", "delivery"),
    Said("tr", "Merhaba, kargom hala gelmedi. Siparişim nerede?", "delivery"),
    Said("ar", "مرحبا، لم يصل الطرد حتى الآن. أين طلبي؟", "delivery"),
    Said("ja", "商品がまだ届いていません。\nいつ届きますか?", "delivery"),
    Said("ja", "商品が壊れていました。返金してください。", "damaged"),
    Said("zh", "我还没有收到包裹，请问什么时候到？", "delivery"),
    Said("en", "ok\n> and this line begins with an arrow\nis that fine?"),
    Said(
        "en",
        "one - two -- three --- four\n\n  indented line\n\ttabbed line, order number of a friend: 701-0000000-0000001",
    ),
    Said("fr", "C'est <b>urgent</b> & important : prix < 20 € ?"),
)

NAMES = ("Zoé", "Ana", "Bo", "Jörg", "Łucja", "太郎", "Márcio", "Ayşe", "ليلى", "Mary Ann", "O'Neil", 'Zoë "Z" Q.')
