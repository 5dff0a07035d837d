"""`Walker` records the problems of a bad page. Without this test, an empty list of complaints would prove nothing."""

import pytest

from e2e.conftest import People
from e2e.walker import Walker

pytestmark = pytest.mark.e2e

BAD = """<!doctype html><html><head>
<meta http-equiv="Content-Security-Policy" content="default-src 'self'"></head>
<body><img src="data:,"><p style="color: red">rojo</p><script>alert(1)</script>
<div><svg width="2000" height="10"></svg></div></body></html>"""


def test_walker_records_csp_and_axe_violations(people: People) -> None:
    careless = people.at_desk("Nadie")
    people.walkers.remove(careless)  # its complaints are expected
    careless.page.route("**/descuido/", lambda route: route.fulfill(body=BAD, content_type="text/html"))
    careless.go("/descuido/")
    careless.look()
    assert heard(careless, "Content Security Policy")
    assert heard(careless, "axe (light): image-alt")
    assert heard(careless, "axe (dark): document-title")
    assert heard(careless, "px wider than the window")
    careless.page.context.close()


@pytest.mark.parametrize(
    "path", ["/", "/nuevo/", "/cuenta/entrar/", "/cuenta/registro/", "/correo/", "/no-existe/"]
)
def test_public_pages_have_no_axe_violations(people: People, path: str) -> None:
    for visitor in (people.on_phone("Alguien con teléfono"), people.at_desk("Alguien con pantalla")):
        visitor.go(path)
        visitor.look()


def heard(walker: Walker, words: str) -> bool:
    return any(words in complaint for complaint in walker.complaints)
