"""Talk to the assistant in a browser, on its page or in the frame of the widget."""

from playwright.sync_api import FrameLocator, Page, expect

from demo.replay.files import make_file

GUEST = "rosa.gil@correo.test"


def press(place: Page | FrameLocator, name: str) -> None:
    place.get_by_role("button", name=name).first.click()


def answer(place: Page | FrameLocator, label: str, text: str) -> None:
    """Wait for the question, type the answer and send it."""
    field = place.get_by_label(label)
    field.fill(text)
    field.press("Enter")


def begin_report(place: Page | FrameLocator, title: str, text: str) -> None:
    """Report a payment: choose the topic and answer until it is asked where."""
    press(place, "Reportar un problema técnico")
    press(place, "Falla en el pago")
    answer(place, "Título", title)
    describe(place, text)
    expect(place.get_by_role("button", name="App en Android").first).to_be_visible()


def describe(place: Page | FrameLocator, text: str) -> None:
    """Answer the question that takes several lines, where Enter sends nothing."""
    place.get_by_label("Descripción detallada").fill(text)
    press(place, "Responder")


def finish_report(place: Page | FrameLocator, *, picture: str, email: str = GUEST) -> None:
    """Answer the rest of the questions about a payment, until the summary is shown."""
    press(place, "App en Android")
    skip(place, "Código de la reserva")
    attach(place, picture)
    answer(place, "Correo electrónico", email)
    skip(place, "Tu nombre")
    skip(place, "Teléfono o WhatsApp")
    expect(place.get_by_text("Esto es lo que voy a enviar.")).to_be_visible()


def attach(place: Page | FrameLocator, name: str) -> None:
    chosen = {"name": name, "mimeType": "image/png", "buffer": make_file(name)}
    place.locator("input[type=file]").set_input_files([chosen])
    press(place, "Seguir")


def skip(place: Page | FrameLocator, question: str) -> None:
    expect(place.locator("#ahora")).to_contain_text(question)
    press(place, "Omitir")
