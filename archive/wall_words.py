"""What walls say (:mod:`archive.walls`): regular expressions, one a line, in any case of letters.

``…_TITLE`` are titles and headings that are nothing else, what stands behind a bar or a dash left out; ``…_TEXT`` are
sentences, or parts of them, that speak to the reader.
"""

from __future__ import annotations

import re


def _words(lines: str) -> re.Pattern[str]:
    return re.compile("|".join(line.strip() for line in lines.strip().splitlines()), re.IGNORECASE)


BLOCK_TITLE = _words(
    r"""
    attention required!?
    access (?:to this page (?:has been|was) )?denied
    just a moment
    one moment,? please
    please wait
    checking (?:your browser|if the site connection is secure)(?: before accessing .*)?
    captcha
    (?:human|robot|bot|browser|captcha) (?:check|verification|challenge)
    security (?:check|checkpoint|verification)
    are you (?:a )?(?:human|robot)
    (?:please )?verify(?:ing)? (?:that )?you are (?:a )?human
    making sure you.?re not a bot
    pardon our interruption
    (?:sorry, )?you have been blocked
    request (?:blocked|rejected|unsuccessful)
    blocked
    ddos-guard
    ddos protection(?: by .*)?
    vercel security checkpoint
    403 forbidden
    unusual traffic(?: detected)?
    your access .{0,40}has been limited.*
    (?:проверка|подтвердите)[, ].{0,20}(?:браузера|не робот|человек)
    вы не робот
    доступ запрещ[её]н
    sicherheitsüberprüfung
    bist du ein (?:mensch|roboter)
    un instant
    un momento
    einen moment(?: bitte)?
    vérification de sécurité
    accès refusé
    acceso denegado
    accesso negato
    zugriff verweigert
    """
)

BLOCK_TEXT = _words(
    r"""
    verify(?:ing)? (?:that )?you(?: are|.re) (?:a |not a )?(?:human|robot|bot)
    you have been blocked
    unusual (?:traffic|activity) (?:from|on) your
    enable javascript and cookies to continue
    checking (?:if the site connection is secure|your browser)
    needs to review the security of your connection
    (?:complete|solve) the (?:security check|captcha|challenge)
    press (?:&|and) hold
    you don.t have permission to access
    your (?:access to this (?:site|service) has been limited|ip (?:address )?(?:has been|is|was) (?:blocked|banned))
    (?:made us think|suspect|looks like) (?:that )?you (?:are|were|might be|may be) a (?:bot|robot)
    i.m not a robot
    (?:automated|automatic) (?:requests|queries|access)
    detected unusual
    this (?:request|website) (?:was|is) blocked by
    incapsula incident id
    request could not be satisfied
    your support id is
    (?:что|вы) (?:вы )?не робот
    запросы.{0,30}не робот
    запросы.{0,60}похожи на автоматические
    проверк[аи] (?:вашего )?браузера
    bestätigen sie.{0,30}(?:mensch|kein roboter)
    êtes (?:pas )?un (?:humain|robot)
    no eres un robot
    non sei un robot
    ungewöhnlichen datenverkehr
    请完成.{0,10}验证
    您的访问.{0,12}(?:阻断|拦截|限制)
    """
)

CONSENT_TITLE = _words(
    r"""
    before you continue(?: to .*)?
    (?:we value )?your privacy(?: choices)?
    (?:cookie|privacy)[- ]?(?:consent|settings|wall|einstellungen)
    (?:.{0,30} )?consent
    (?:wir benötigen )?ihre (?:zustimmung|einwilligung)
    zustimmung(?: erforderlich)?
    datenschutz(?:einstellungen)?
    consent or pay
    gestion des cookies
    votre vie privée
    """
)

CONSENT_TEXT = _words(
    r"""
    before you continue
    we (?:value|care about) your privacy
    accept (?:all )?(?:cookies|and continue)
    your privacy choices
    consent or pay
    akzeptieren und weiter
    mit werbung (?:weiter)?lesen
    alle (?:cookies )?akzeptieren
    accepter et continuer
    (?:nous|we and our) .{0,20}(?:partenaires|partners) .{0,60}(?:cookies|store|stock)
    aceptar y continuar
    accetta e continua
    accepteren en doorgaan
    zustimmen und weiter
    """
)

LOGIN_TITLE = _words(
    r"""
    (?:please )?(?:log|sign)[- ]?in(?: or (?:register|sign up|subscribe))?(?: to (?:continue|.{0,30}))?
    (?:member|subscriber)s? (?:log|sign)[- ]?in
    log(?:in)? required
    authentication required
    401 (?:unauthorized|authorization required)
    unauthorized
    anmelden
    einloggen
    login
    anmeldung
    connexion
    (?:se connecter|identifiez-vous)
    iniciar sesión
    accedi
    вход(?: на сайт)?
    авторизация
    войти
    登录
    ログイン
    """
)

LOGIN_TEXT = _words(
    r"""
    (?:log|sign) in to (?:continue|read|view|access)
    you (?:must|need to) (?:be )?(?:log(?:ged)?|sign(?:ed)?) in
    please (?:log|sign) in
    create (?:a free |an )?account to (?:continue|read)
    melden sie sich an
    connectez-vous pour
    inicia sesión para
    войдите,? чтобы
    необходимо (?:войти|авторизоваться)
    """
)

GEO_TEXT = _words(
    r"""
    (?:not|un)(?: currently)?[- ]?available (?:in|to \w+ \w+) (?:your|this|most|the|all) (?:country|region|area|eu\b)
    (?:not|un)(?: currently)?[- ]?available (?:in|to \w+ \w+) (?:your|this|most|the|all) (?:location|territor|european)
    access(?:ing)? this (?:web)?site from a country
    (?:block|restrict)\w* (?:access )?(?:from|in) your (?:country|region|location)
    attempting to access this website from
    geo(?:graphical(?:ly)?)?[- ](?:block|restrict)
    in (?:ihrem|deinem) land (?:leider )?nicht verfügbar
    (?:pas|non) disponible dans votre (?:pays|région)
    no (?:está )?disponible en (?:su|tu) (?:país|región|ubicación)
    non (?:è )?disponibile nel (?:tuo|suo) paese
    недоступ\w+ (?:в|на территории) (?:вашей? |вашем )?(?:стран\w+|регион\w+)
    """
)

LEGAL_TITLE = _words(
    r"""
    451(?: unavailable for legal reasons)?
    unavailable (?:for|due to) legal reasons
    доступ (?:к .{0,60} )?(?:ограничен|заблокирован)
    ресурс заблокирован
    erişim engellendi
    """  # noqa: RUF001 - Russian, Turkish
)

LEGAL_TEXT = _words(
    r"""
    unavailable (?:for|due to) legal reasons
    роскомнадзор
    eais\.rkn\.gov\.ru|blocklist\.rkn\.gov\.ru|149-фз
    доступ к (?:\w+ )?(?:интернет-)?(?:ресурсу|сайту|странице|информации).{0,40}(?:ограничен|заблокирован|запрещ)
    по (?:решению|требованию) (?:суда|генеральной прокуратуры|органов)
    министерств\w+ информации республики беларусь|белги[эе]
    5651 sayılı
    erişime? engellen
    internet ?positif|trustpositif
    blocked (?:as per|under|by) (?:the )?(?:instructions|order|directions)
    (?:court|high court) (?:order|injunction)
    department of telecommunications
    removed (?:following|due to|in response to) a (?:legal|court|dmca)
    clearingstelle urheberrecht|cuii
    bloqueado por (?:requerimiento|orden)
    autorità per le garanzie nelle comunicazioni|provvedimento.{0,40}(?:agcom|autorità)
    ministère de l.intérieur.{0,80}(?:bloqu|interdi)
    """  # noqa: RUF001 - Russian, Turkish
)

ERROR_TITLE = _words(
    r"""
    (?:http )?(?:error )?(?:404|410)(?: error)?(?:[ :.,-]*(?:page |file )?(?:not found|gone|error|oops|sorry).*)?
    (?:sorry,? )?(?:the |this )?(?:page|article|story|url)?\s*(?:is |was |could )?(?:not be |not )found
    (?:page|file) not found[ :.,-]*\(?(?:error )?404\)?
    (?:oops|sorry|uh-?oh)[!.,]*(?: .{0,60}(?:not|n.t|cannot|lost|gone|missing|wrong).{0,40})?
    (?:the |this )?(?:page|article|story|content) (?:you .{4,20} )?(?:does(?: not|n.t) exist|is gone)
    (?:sorry,? )?(?:the |this )?(?:page|article|story|content) (?:you .{4,20} )?(?:is )?no longer (?:exists|available)
    (?:the |this )?(?:page|article|story|content) (?:you .{4,20} )?(?:isn.t available|can(?:no|.)t be found|unavailable)
    we (?:couldn.t|could not|can.t|cannot) find .{0,40}
    (?:internal )?server error
    (?:error )?50[0234](?: .{0,30}error| bad gateway| service (?:temporarily )?unavailable| gateway time-?out)?
    bad gateway
    service (?:temporarily )?unavailable
    (?:site |website )?(?:temporarily unavailable|under maintenance)
    (?:seite|artikel)?\s*(?:wurde )?(?:leider )?nicht gefunden
    fehler 404
    page (?:introuvable|non trouvée)
    (?:erreur|errore) 404
    (?:página )?no encontrad[ao]
    página não encontrada
    pagina non trovata
    pagina niet gevonden
    страница (?:не найдена|не существует|удалена)
    (?:ошибка )?404
    не найден[оа]?
    nie znaleziono(?: strony)?
    sayfa bulunamadı
    页面(?:不存在|未找到)|找不到(?:页面|网页)
    ページが見つかりません.*
    """  # noqa: RUF001 - Russian, Turkish
)
