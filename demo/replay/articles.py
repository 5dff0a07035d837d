"""Write and publish the invented help centre with the product's verbs: sections, articles, synonyms, opinions."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.models import User
from demo import articles as folder
from demo.replay import drawings
from demo.replay.clock import time_is
from knowledge import articles, feedback, files, indexing, misses, synonyms
from knowledge.articles import Scope
from knowledge.enums import Audience, Missing
from knowledge.models import Article, ArticleFeedback, SearchMiss, Section

FOLDER = Path(folder.__file__).parent
SECTIONS = (
    ("cuenta", "key", ("Cuenta y acceso", "Account and access"),
     ("Entrar, contraseñas y códigos.", "Signing in, passwords and codes.")),
    ("pagos", "credit-card", ("Pagos y devoluciones", "Payments and refunds"),
     ("Cobros, rechazos y devoluciones.", "Charges, declined payments and refunds.")),
    ("app", "phone", ("La app y las reservas", "The app and bookings"),
     ("Reservas, mapa y fallas de la app.", "Bookings, map and faults of the app.")),
    ("taller", "tools", ("Taller de reparación", "Repair shop"),
     ("Envíos, garantía y tiempos.", "Sending, warranty and times.")),
    ("academia", "mortarboard", ("Estudios y documentos", "Studies and documents"),
     ("Notas, constancias y horas.", "Marks, certificates and hours.")),
    ("software", "code-slash", ("Plugins y desarrollo", "Plugins and development"),
     ("Instalar y pedir cambios.", "Installing and asking for changes.")),
    ("procedimientos", "journal-text", ("Procedimientos internos", "Internal procedures"),
     ("Cómo trabaja cada área.", "How each area works.")),
)  # fmt: skip
SYNONYMS = (
    "clave, contraseña, password",
    "pago, cobro, cargo",
    "entrar, ingresar, iniciar sesión, acceder, login",
    "celular, teléfono, móvil",
    "plata, dinero, reembolso, devolución",
    "talanquera, barrera",
    "nota, calificación",
    "constancia, certificado",
    "reserva, reservación, booking",
    "docente, profesor",
    "plugin, extensión, complemento",
    "congela, cierra, traba",
)
MISSED = (
    ("torniquete bicicleta", 14),
    ("cambiar placa", 9),
    ("factura electrónica", 6),
    ("horario festivos", 3),
)
PHRASES = (
    (Missing.UNCLEAR, "No veo el enlace en el iPad"),
    (Missing.STILL_FAILS, "Lo hice y vuelve a la misma pantalla"),
    (Missing.OUTDATED, "Los botones ya no se llaman así"),
    (Missing.OTHER_CASE, ""),
)
EDITOR, AGE = "supervisor", timedelta(days=60)


@dataclass(frozen=True)
class Written:
    """A file of the folder: the article's slug, the language, the card and the text."""

    slug: str
    language: str
    card: dict[str, str]
    body: str


def load(users: dict[str, User]) -> int:
    """Write everything, if there are no articles yet. Returns how many articles there are then."""
    if Article.objects.exists():
        return Article.objects.count()
    editor = users[EDITOR]
    sections = {}
    for position, (slug, icon, names, descriptions) in enumerate(SECTIONS):
        defaults: dict[str, Any] = dict(zip(("name", "name_en"), names, strict=True))
        defaults |= dict(zip(("description", "description_en"), descriptions, strict=True))
        defaults |= {"icon": icon, "position": position}
        sections[slug] = Section.objects.get_or_create(slug=slug, defaults=defaults)[0]
    texts = list(_texts())
    now = timezone.now()
    with indexing.postponed():
        for number, spanish in enumerate(text for text in texts if text.language == "es"):
            with time_is(now - AGE + timedelta(days=3 * number, hours=number)):
                article = _write(spanish, sections[spanish.card["section"]], users, editor)
                for other in texts:
                    if other.slug == spanish.slug and other.language != "es":
                        articles.save_version(article, actor=editor, language=other.language, **_words(other))
                articles.publish(article, actor=editor)
            _answer(article, spanish.card.get("helped", ""))
    for group in SYNONYMS:
        synonyms.save(group, actor=editor)
    for query, count in MISSED:
        if miss := misses.report(query):
            SearchMiss.objects.filter(pk=miss.pk).update(count=count)
    return Article.objects.count()


def _texts() -> Iterator[Written]:
    for path in sorted(FOLDER.glob("*.md")):
        slug, language, _md = path.name.split(".")
        head, _line, body = path.read_text("utf-8").partition("\n---\n")
        card = dict(line.split(": ", 1) for line in head.splitlines())
        yield Written(slug, language, card, body)


def _words(text: Written) -> dict[str, Any]:
    return {"title": text.card["title"], "summary": text.card["summary"], "body": text.body}


def _write(text: Written, section: Section, users: dict[str, User], editor: User) -> Article:
    article = articles.create(
        actor=editor,
        section=section,
        language=text.language,
        audience=Audience(text.card.get("audience", "public")),
        slug=text.slug,
        words=text.card["words"],
        scopes=[_scope(each) for each in text.card["scopes"].split(", ")],
        owner=users[text.card.get("owner", EDITOR)],
        **_words(text),
    )
    for name, content in drawings.PICTURES.items():
        if f"({name} " in text.body:
            files.keep(io.BytesIO(content()), name=name, article=article, actor=editor)
    return article


def _scope(written: str) -> Scope:
    """Read «@department process/category/stage», of which every part may be missing."""
    words = written.split()
    department = next((word[1:] for word in words if word.startswith("@")), "")
    parts = next((word.split("/") for word in words if not word.startswith("@")), [])
    names: dict[str, Any] = dict(zip(("process", "category", "stage"), parts, strict=False))
    return Scope(department=department, **names)


def _answer(article: Article, helped: str) -> None:
    """Record so many answers as «yes/all» says, the last of them with a phrase. Rows of their own, and not the verb:
    hundreds of votes would keep the demo waiting."""
    if not helped:
        return
    yes, total = map(int, helped.split("/"))
    version = article.texts.get(language="es").published
    now = timezone.now()
    said = {yes + at: phrase for at, phrase in enumerate(PHRASES[: total - yes])}
    ArticleFeedback.objects.bulk_create(
        ArticleFeedback(
            article=article,
            version=version,
            voter=feedback.voter_of(f"demo {number}"),
            is_useful=number < yes,
            missing=said[number][0] if number in said else "",
            comment=said[number][1] if number in said else "",
            at=now - timedelta(hours=7 * number + 3),
        )
        for number in range(total)
    )
    Article.objects.filter(pk=article.pk).update(yes_count=yes, no_count=total - yes)
