"""The editor of an article: the text in one language, its preview, card, files, versions, and a comparison of two."""

import re
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from content.article_markdown import Rendered
from content.files import FileRules
from knowledge import files, from_tickets, personal_data, policies, reviews
from knowledge.comparing import Piece, compare
from knowledge.models import (
    Article,
    ArticleFeedback,
    ArticleFile,
    ArticleText,
    ArticleVersion,
    ReviewRequest,
)
from knowledge.rendering import rendered

from ..access import DeskRequest
from ..forms.articles import CardForm, ReviewForm, TextForm
from ..kept import KeptForm
from . import articles as pages

VERSIONS = 20
COMMENTS = 3
LANGUAGES = dict(settings.LANGUAGES)
_MARK = re.compile(r"\[\[([^\[\]<>\n]{1,200})\]\]")


class Editor:
    """What the editor's page shows. `text` and `card` are the posted forms; `conflict` is the version that somebody
    else saved meanwhile."""

    conflict: ArticleVersion | None = None
    problem = ""

    def __init__(self, request: DeskRequest, article: Article) -> None:
        self.request, self.user, self.article = request, request.user, article
        self.kept = KeptForm(request, f"articulo-{article.pk}-{self.language}")
        data = request.POST if request.method == "POST" else None
        initial: dict[str, Any] = {}
        if begun := self.begun:
            initial = {name: getattr(begun, name) for name in ("title", "summary", "body")}
        self.text = TextForm(data, initial=initial)
        self.card = CardForm(data, article=article, user=self.user)
        if data is None and "version" not in request.GET:
            self.kept.fill(self.text)
            self.kept.fill(self.card)
        self.expected = self._expected()

    # --- Text ---------------------------------------------------------------------------------------------

    @cached_property
    def language(self) -> str:
        """The language of the text: the one asked for, else the reader's if there is a text in it."""
        asked = self.request.POST.get("idioma") or self.request.GET.get("idioma", "")
        if asked in LANGUAGES:
            return asked
        text = self.article.latest_text((get_language() or "")[:2])
        return text.language if text else "es"

    @cached_property
    def row(self) -> ArticleText | None:
        return next((text for text in self.article.texts.all() if text.language == self.language), None)

    @property
    def latest(self) -> ArticleVersion | None:
        return self.row.latest if self.row else None

    @property
    def shown_version(self) -> ArticleVersion | None:
        """The version that readers see; of an article that nobody reads, the latest."""
        published = self.row.published if self.row and self.article.is_published else None
        return published or self.latest

    @property
    def unpublished_version(self) -> ArticleVersion | None:
        """The latest version, if readers still see an earlier one."""
        return self.latest if self.shown_version != self.latest else None

    @cached_property
    def begun(self) -> ArticleVersion | None:
        """The version whose text the page starts with: the one asked for, else the latest."""
        return self._version("version") or self.latest

    def _expected(self) -> int:
        number = self.latest.number if self.latest else 0
        typed = self.text.data if self.text.is_bound else self.kept.data
        given = typed.get("expected", "")
        return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else number

    @property
    def body(self) -> str:
        return str(self.text["body"].value() or "")

    @property
    def url(self) -> str:
        return f"{reverse('agents:article_edit', args=[self.article.slug])}?idioma={self.language}"

    @property
    def tabs(self) -> list[dict[str, Any]]:
        address = reverse("agents:article_edit", args=[self.article.slug])
        written = {text.language for text in self.article.texts.all() if text.latest_id}
        return [
            {
                "code": code,
                "label": label,
                "href": f"{address}?idioma={code}",
                "is_current": code == self.language,
                "is_written": code in written,
            }
            for code, label in LANGUAGES.items()
        ]

    @property
    def has_changed(self) -> bool:
        """Whether the posted form says anything but what is saved. Browsers send a text with lines of their own end."""
        names = set(self.text.changed_data) - {"expected"}
        body = str(self.text["body"].value() or "").replace("\r\n", "\n")
        if body == (self.begun.body if self.begun else ""):
            names.discard("body")
        return bool(names) or (self.may_edit_card and self.card.has_changed())

    @property
    def turns(self) -> dict[str, str]:
        """The addresses of the text in another language, and of this one beside another, by their buttons."""
        beside = {f"junto-{other.language}": f"{self.url}&junto={other.language}" for other in self.others}
        return {f"idioma-{tab['code']}": tab["href"] for tab in self.tabs} | beside | {"junto-": self.url}

    @property
    def marks(self) -> list[str]:
        """The personal data that is marked for removal in what is typed."""
        typed = "\n".join(str(self.text[name].value() or "") for name in ("title", "summary", "body"))
        return personal_data.marks_in(typed)

    @cached_property
    def source(self) -> str:
        """The folio of the ticket from whose solution the article was written, or ""."""
        return from_tickets.source_of(self.article.pk)

    # --- Preview ------------------------------------------------------------------------------------------

    @cached_property
    def other(self) -> ArticleText | None:
        """The text in another language, to stand beside this one in place of the preview."""
        wanted = self.request.GET.get("junto", "")
        texts = (text for text in self.article.texts.all() if text.latest_id)
        return next((text for text in texts if text.language == wanted != self.language), None)

    @property
    def others(self) -> list[ArticleText]:
        return [
            text for text in self.article.texts.all() if text.latest_id and text.language != self.language
        ]

    @cached_property
    def preview(self) -> Rendered:
        body = self.other.latest.body if self.other and self.other.latest else self.body
        return preview_of(self.request, self.article, body)

    # --- Aside --------------------------------------------------------------------------------------------

    @property
    def may_publish(self) -> bool:
        return policies.can_publish(self.user, self.article)

    @property
    def may_edit_card(self) -> bool:
        return policies.can_edit_card(self.user, self.article)

    @property
    def may_review(self) -> bool:
        return self.may_publish or self.article.owner_id == self.user.pk

    @cached_property
    def reviews(self) -> list[ReviewRequest]:
        return reviews.requests_of(self.article)

    @property
    def asked_of_me(self) -> ReviewRequest | None:
        """The open request that this person was asked to answer."""
        mine = (each for each in self.reviews if each.reviewer_id == self.user.pk)
        return next((each for each in mine if each.answered_at is None), None)

    @cached_property
    def review_form(self) -> ReviewForm:
        return ReviewForm(self.request.POST if self.request.method == "POST" else None, user=self.user)

    @property
    def is_ready(self) -> bool:
        """Whether something that readers do not see yet could be published."""
        texts = [text for text in self.article.texts.all() if text.latest_id]
        return not self.article.is_published or any(text.has_unpublished_changes for text in texts)

    @cached_property
    def files(self) -> list[dict[str, Any]]:
        return [file_row(file) for file in self.article.files.exclude(file="")]

    @property
    def file_rules(self) -> FileRules:
        return files.rules()

    @cached_property
    def versions(self) -> list[ArticleVersion]:
        rows = self.article.versions.filter(language=self.language).select_related("author")
        return list(rows.defer("body").order_by("-number")[: VERSIONS + 1])

    @property
    def earlier(self) -> list[str]:
        """Earlier addresses of the article."""
        return list(self.article.redirects.order_by("-pk").values_list("slug", flat=True)[:5])

    @cached_property
    def compared(self) -> dict[str, Any] | None:
        """The comparison that the address asks for: of version `de` with version `a`."""
        before, after = self._version("de"), self._version("a")
        if before is None or after is None:
            return None
        return {"before": before, "after": after, "parts": compared(before, after)}

    @property
    def conflict_parts(self) -> list[Piece]:
        """What saving the typed text would change in what somebody else saved."""
        return compare(self.conflict.body, self.body) if self.conflict else []

    @cached_property
    def comments(self) -> list[ArticleFeedback]:
        rows = ArticleFeedback.objects.filter(article=self.article).exclude(comment="")
        return list(rows.order_by("-at")[:COMMENTS])

    @property
    def answers(self) -> int:
        return self.article.yes_count + self.article.no_count

    def _version(self, name: str) -> ArticleVersion | None:
        number = self.request.GET.get(name, "")
        if not (number.isascii() and number.isdecimal() and len(number) < 10):
            return None
        rows = self.article.versions.filter(language=self.language)
        return rows.select_related("author").filter(number=int(number)).first()


def compared(before: ArticleVersion, after: ArticleVersion) -> list[Piece]:
    """Return the changes in title, summary and body."""
    texts = ["\n".join((each.title, each.summary, each.body)) for each in (before, after)]
    return compare(*texts)


def preview_of(request: DeskRequest, article: Article, body: str) -> Rendered:
    """Return what readers will see, with the marks of personal data made visible."""
    found = rendered(
        article,
        body,
        readable=Article.objects.visible_to(request.user),
        file_address=pages.file_address,
        article_address=pages.article_address,
    )
    # The HTML is clean, and a mark holds neither «<» nor «>»: nothing but the element is added.
    return Rendered(mark_safe(_MARK.sub(r"<mark>\1</mark>", found.html)), found.headings)


def file_row(file: ArticleFile) -> dict[str, Any]:
    """Return what agents/knowledge/_file.html draws."""
    return {
        "file": file,
        "mark": f"![{file.name.rpartition('.')[0].replace('-', ' ')}]({file.name})" if file.is_image else "",
        "href": "" if file.is_held else pages.file_address(file),
        "remove_url": reverse("agents:article_file_remove", args=[file.article.slug, file.uuid]),
        "state": "error" if file.is_infected else "scanning" if file.is_held else "ready",
    }
