"""A person in a real browser who records problems: console errors, failed responses, and axe violations in both
themes."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Response, expect

from demo.replay.files import make_file
from demo.run import PASSWORD
from e2e.waiting import until_drawn

AXE = Axe()
# All rules of axe, including best practices. A rule that does not apply must be disabled here, with its reason.
OPTIONS = {"resultTypes": ["violations"]}
TYPES = {"png": "image/png", "pdf": "application/pdf"}
# Statuses of refused forms and missing pages, which are expected although Chromium's console reports them as errors.
# Failed style sheets, scripts, images and fonts are recorded by `_answered`.
REFUSED = re.compile(r"status of (404|409|422) ")


WRITE_ARTICLE = "Escribir artículo"
"""Stands in the menu of a solved ticket, but is no action of its process."""


class Walker:
    """One person in one browser page. `complaints` are the problems recorded so far."""

    def __init__(self, name: str, page: Page) -> None:
        self.name, self.page = name, page
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._note(f"script: {error}"))
        page.on("response", self._answered)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not REFUSED.search(message.text):
            self._note(f"console: {message.text}")

    def _answered(self, response: Response) -> None:
        """Record a failed response: status 500 or more for pages, 400 or more for style sheets, scripts, images and
        fonts."""
        belongs = response.request.resource_type in ("stylesheet", "script", "image", "font")
        if response.status >= (400 if belongs else 500):
            self._note(f"{response.status} from {response.url}")

    def _note(self, complaint: str) -> None:
        self.complaints.append(f"{self.name} at {self.page.url}: {complaint}")

    def go(self, path: str) -> None:
        self.page.goto(path)
        until_drawn(self.page)

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self.go("/cuenta/entrar/")
        self.page.locator("input[name=login]").fill(email)
        self.page.locator("input[name=password]").fill(password)
        with self.page.expect_navigation():
            self.page.locator("input[name=password]").press("Enter")
        assert "/cuenta/entrar" not in self.page.url, self.page.inner_text("main")

    def attach(self, *names: str, state: str = "ready") -> None:
        """Upload generated files with these names, and wait until each is shown in `state` (`ready` or `error`)."""
        files = [
            {"name": name, "mimeType": TYPES[name.rpartition(".")[2]], "buffer": make_file(name)}
            for name in names
        ]
        self.page.locator("input[type=file]").first.set_input_files(files)
        for name in names:
            expect(self.page.locator(".file", has_text=name)).to_have_attribute("data-state", state)

    def rate(self, score: int) -> None:
        self.page.locator(f"label:has(input[name=score][value='{score}'])").click()
        self.page.get_by_role("button", name="Enviar opinión").click()
        expect(self.page.get_by_role("heading", name="Gracias por tu opinión")).to_be_visible()

    def look(self) -> None:
        """Record the violations that axe finds in both themes, and content wider than the window."""
        page = self.page
        page.wait_for_load_state()
        page.wait_for_function("document.readyState === 'complete'")
        root = "document.documentElement"
        wide = page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
        if wide > 1:
            self._note(f"{wide} px wider than the window")
        given = page.evaluate(f"{root}.dataset.bsTheme || ''")
        for theme in ("light", "dark"):
            page.evaluate(f"theme => {{ {root}.dataset.bsTheme = theme }}", theme)
            for violation in AXE.run(page, options=OPTIONS).response["violations"]:
                where = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
                self._note(f"axe ({theme}): {violation['id']}: {violation['help']}: {where}")
        page.evaluate(f"theme => {{ {root}.dataset.bsTheme = theme }}", given)


class Agent(Walker):
    """A member of staff in the back office."""

    def __init__(self, name: str, page: Page) -> None:
        super().__init__(name, page)
        # Labels of the actions whose form was checked; each is checked once.
        self._forms_seen: set[str] = set()

    def open_ticket(self, folio: str) -> None:
        self.go(f"/agentes/tickets/{folio}/")

    def choose(self, *labels: str) -> None:
        """Choose radio buttons or cards by the words in their labels, also those that are folded away."""
        for label in labels:
            card = self.page.locator("label").filter(has_text=label).first
            folded = self.page.locator("details:not([open])").filter(has=card)
            if folded.count():
                folded.first.locator("summary").first.click()
            card.click()

    def offered(self) -> set[str]:
        """Return the labels of the actions that the ticket's page offers, as buttons and in its menu."""
        buttons = self.page.locator(
            "header.tk__head :is(.menu__list a, .menu__list button, .btn-sm:not(.btn-icon))"
        )
        return {words.strip() for words in buttons.all_text_contents()} - {WRITE_ARTICLE}

    def take_action(self, label: str, **answers: str | bool) -> None:
        """Perform an action of the process. If it opens a dialog, fill in `answers` by field name and send it."""
        page = self.page
        head = page.locator("header.tk__head")
        named = {"name": label, "exact": True}
        action = head.get_by_role("link", **named).or_(head.get_by_role("button", **named))
        if not action.is_visible():
            head.get_by_label("Más acciones").click()
        if action.evaluate("element => element.tagName") == "BUTTON":
            with page.expect_navigation():
                action.click()
            return
        action.click()
        dialog = page.get_by_role("dialog")
        for name, value in answers.items():
            field = dialog.locator(f"[name={name}]")
            if isinstance(value, bool):
                field.set_checked(value)
            elif field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(label=value)
            else:
                field.fill(value)
        if label not in self._forms_seen:
            self._forms_seen.add(label)
            self.look()
        with page.expect_navigation():
            dialog.get_by_role("button", name=label, exact=True).click()

    def write(self, text: str, *, mode: str, button: str | re.Pattern[str]) -> None:
        """Send a message from the composer, such as a follow-up or an internal note."""
        composer = self.page.locator("form.composer")
        composer.locator("label").filter(has_text=mode).first.click()
        composer.get_by_label("Mensaje", exact=True).fill(text)
        composer.get_by_role("button", name=button).click()
        expect(self.page.locator("#thread")).to_contain_text(text.split("\n")[0])

    def follow_up(self, text: str) -> None:
        self.write(text, mode="Seguimiento", button=re.compile("^Enviar"))

    def note(self, text: str) -> None:
        self.write(text, mode="Nota interna", button="Guardar nota")
