"""Read the forms of a page, as a browser without JavaScript does."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """One form: its initial values (`fields`), the names of its controls, and its choices."""

    action: str
    method: str
    id: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)  # of all controls
    choices: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # options and radio buttons, by control: label → value

    def choice(self, name: str, words: str) -> str:
        """Return the value of the choice whose label contains `words`."""
        found = [value for text, value in self.choices.get(name, {}).items() if words in text]
        assert found, f"nothing like «{words}» to choose in {name}: {list(self.choices.get(name, {}))}"
        return found[0]

    def name(self, ending: str) -> str:
        """Return the name of the field that is `ending` or ends with it: some forms have prefixes."""
        found = [name for name in self.names if name == ending or name.endswith(f"-{ending}")]
        assert found, f"no field {ending} among {sorted(self.names)}"
        return found[0]


def read_forms(html: str) -> list[Form]:
    """Return all forms of the page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    for form_id, name, value in reader.outside:
        for form in reader.forms:
            if form.id == form_id:
                form.names.add(name)
                form.fields[name] = value
    return reader.forms


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.outside: list[tuple[str, str, str]] = []  # controls that name their form by `form=`
        self._form: Form | None = None
        self._select = ""  # name of the open <select>
        self._textarea = ""
        self._option: str | None = None
        self._words: list[str] | None = None  # texts of the open <label> or <option>
        self._radio: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "form":
            self._form = Form(
                given.get("action", ""), given.get("method", "get").lower(), given.get("id", "")
            )
            self.forms.append(self._form)
        elif tag == "label":
            self._words, self._radio = [], None
        elif tag == "option" and self._form is not None and self._select:
            self._option, self._words = value, []
            if "selected" in given or self._select not in self._form.fields:
                self._form.fields[self._select] = value
        elif tag == "input" and name and given.get("form"):
            self.outside.append((given["form"], name, value))
        elif self._form is not None and name:
            self._control(self._form, tag, name, given)

    def _control(self, form: Form, tag: str, name: str, given: dict[str, str]) -> None:
        kind, value = given.get("type", "text"), given.get("value", "on")
        form.names.add(name)
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            form.fields[name] = ""
        elif tag == "input" and kind in ("radio", "checkbox"):
            self._radio = (name, value)
            if "checked" in given:
                form.fields[name] = value
        elif tag == "input" and kind not in ("submit", "button", "file", "image", "reset"):
            form.fields[name] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._words is not None:
            self._words.append(data)
        elif self._form is not None and self._textarea:
            self._form.fields[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "option" and self._option is not None:
            self._keep_words(self._select, self._option)
            self._option = None
        elif tag == "label" and self._radio is not None:
            self._keep_words(*self._radio)
            self._radio = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            if self._form is not None and self._textarea:
                self._form.fields[self._textarea] = self._form.fields[self._textarea].removeprefix("\n")
            self._textarea = ""
        if tag in ("option", "label"):
            self._words = None

    def _keep_words(self, name: str, value: str) -> None:
        if self._form is not None:
            words = " ".join("".join(self._words or []).split())
            self._form.choices.setdefault(name, {})[words] = value
