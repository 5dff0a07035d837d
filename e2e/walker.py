"""A person in a browser who looks at every page twice, in daylight and in the dark, and hears every complaint."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Response, expect

from demo.replay.files import make_file
from demo.run import PASSWORD

AXE = Axe()
# Everything axe knows, best practice included; a rule that does not fit is left out here, with its reason.
OPTIONS = {"resultTypes": ["violations"]}
TYPES = {"png": "image/png", "pdf": "application/pdf"}
# What the desk answers when it takes a form back to be corrected, or knows no such page; Chromium's console calls that
# an error. What belongs to a page is listened for below.
REFUSED = re.compile(r"status of (404|409|422) ")


class Walker:
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
        """Pages may refuse or not exist; what belongs to a page must."""
        belongs = response.request.resource_type in ("stylesheet", "script", "image", "font")
        if response.status >= (400 if belongs else 500):
            self._note(f"{response.status} from {response.url}")

    def _note(self, complaint: str) -> None:
        self.complaints.append(f"{self.name} at {self.page.url}: {complaint}")

    def go(self, path: str) -> None:
        self.page.goto(path)

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self.go("/cuenta/entrar/")
        self.page.locator("input[name=login]").fill(email)
        self.page.locator("input[name=password]").fill(password)
        with self.page.expect_navigation():
            self.page.locator("input[name=password]").press("Enter")
        assert "/cuenta/entrar" not in self.page.url, self.page.inner_text("main")

    def attach(self, *names: str, state: str = "listo") -> None:
        """Files with these names, made for the occasion; the desk takes them, unless `state` is `error`."""
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
        """Nothing for axe to say in either theme, and nothing that needs scrolling sideways."""
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
    """Somebody of the desk, at the back office."""

    def __init__(self, name: str, page: Page) -> None:
        super().__init__(name, page)
        self._forms_seen: set[str] = set()  # of actions; each is looked at once

    def open_ticket(self, folio: str) -> None:
        self.go(f"/agentes/tickets/{folio}/")

    def choose(self, *labels: str) -> None:
        """Radio buttons and cards, by the words on them."""
        for label in labels:
            self.page.locator("label").filter(has_text=label).first.click()

    def offered(self) -> set[str]:
        """The actions of the process that the ticket's page offers, in its menu and beside it."""
        buttons = self.page.locator(
            "header.tk__head :is(.menu__list a, .menu__list button, .btn-sm:not(.btn-icon))"
        )
        return {words.strip() for words in buttons.all_text_contents()}

    def take_action(self, label: str, **answers: str | bool) -> None:
        """An action of the process; what it asks is asked in a dialog. `answers` by the fields' names."""
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
        """Something in the composer: a follow-up, a note."""
        composer = self.page.locator("form.composer")
        composer.locator("label").filter(has_text=mode).first.click()
        composer.get_by_label("Mensaje", exact=True).fill(text)
        composer.get_by_role("button", name=button).click()
        expect(self.page.locator("#thread")).to_contain_text(text.split("\n")[0])

    def follow_up(self, text: str) -> None:
        self.write(text, mode="Seguimiento", button=re.compile("^Enviar"))

    def note(self, text: str) -> None:
        self.write(text, mode="Nota interna", button="Guardar nota")
