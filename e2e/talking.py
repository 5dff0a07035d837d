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


def attach(place: Page | FrameLocator, name: str) -> None:
    chosen = {"name": name, "mimeType": "image/png", "buffer": make_file(name)}
    place.locator("input[type=file]").set_input_files([chosen])
    press(place, "Seguir")


def skip(place: Page | FrameLocator, question: str) -> None:
    expect(place.locator("#ahora")).to_contain_text(question)
    press(place, "Omitir")
