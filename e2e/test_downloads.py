"""Attachments as people get them from the production size: files in an S3-compatible store that only the desk reaches,
nginx in front. One page is opened in a browser; every other download is read to its last byte."""

import http.client
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from content.tests.object_store import serving
from demo.replay.files import make_file
from demo.run import PASSWORD
from e2e.processes import Stack, command_of
from e2e.test_proxy import Answer, SlowVisitors, answer
from e2e.visitor import Visitor
from e2e.waiting import until
from tools.servers import CannotServe, Nginx, Redis, spare_port

pytestmark = pytest.mark.topology
CUSTOMER = "cliente@demo.test"
THREADS = 4
BIG = 20 * 1024 * 1024  # larger than what the kernel keeps for a reader who does not read
MAKE_BIG = """
import sys, django
django.setup()
from django.core.files.base import ContentFile
from tickets.models import Attachment, Ticket
message = Ticket.objects.get(folio=sys.argv[1]).messages.first()
file = Attachment(ticket=message.ticket, message=message, name="falla.mp4", kind="video", size=int(sys.argv[2]))
file.content_type = "video/mp4"
file.file.save("x", ContentFile(bytes(file.size)), save=False)
file.save()
print(file.uuid)
"""


class Desk:
    """The stack, the store, nginx, and a customer who has filed a ticket with a picture."""

    def __init__(self, stack: Stack, nginx: Nginx, store: str) -> None:
        self.stack, self.nginx, self.store = stack, nginx, store
        self.customer = Visitor([nginx.port])
        self.customer.sign_in(CUSTOMER, PASSWORD)
        self.folio = self.file_ticket()
        self.page = f"/tickets/{self.folio}/"

    def file_ticket(self) -> str:
        page = self.customer.get("/nuevo/?tipo=soporte-con-aprobacion.plataforma")
        text = {"title": "No puedo subir el informe", "description": "El aula rechaza mi PDF."}
        picture = {"files": ("captura.png", make_file("captura.png"), "image/png")}
        page = self.customer.submit(page.form("/detalles/"), text, picture)
        page = self.customer.submit(page.form("/contacto/"))
        found = re.search(r"Tu folio es (\S+-\d+)", page.text)
        assert found, page.text
        return found[1]

    @property
    def cookies(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.customer.cookies)

    def ask(self, path: str, method: str = "GET", port: int = 0, **headers: str) -> Answer:
        """Send one request of the customer and follow no redirect."""
        return answer(port or self.nginx.port, path, method, Cookie=self.cookies, **headers)

    def image(self) -> str:
        return self.customer.get(self.page).link(r"/adjuntos/[0-9a-f-]{36}/")

    def make_big(self) -> str:
        printed = self.stack.run(sys.executable, "-c", MAKE_BIG, self.folio, str(BIG))
        return f"/adjuntos/{printed.split()[-1]}/"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, store: str) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("downloads")
    with ExitStack() as stack:
        try:
            redis = stack.enter_context(Redis())
        except CannotServe as problem:
            pytest.skip(str(problem))
        database = f"sqlite:///{folder / 'desk.sqlite3'}"
        run = stack.enter_context(
            Stack.production(folder, database=database, redis=redis.url, smtp_port=spare_port())
        )
        run.env |= {
            "DESK_ALLOW_SQLITE": "1",
            "DESK_TRUSTED_PROXIES": "127.0.0.0/8",
            "DESK_READYZ_NETWORKS": "127.0.0.0/8",
            "S3_BUCKET": "mesa-de-ayuda",
            "S3_ENDPOINT_URL": store,
            "S3_REGION": "us-east-1",
            "S3_ACCESS_KEY_ID": "local-test-key",
            "S3_SECRET_ACCESS_KEY": "local-test-key",
            "WEB_CONCURRENCY": "1",
            "WEB_THREADS": str(THREADS),
        }
        run.manage("collectstatic", "--noinput", "--verbosity=0")
        run.manage("prepare_production")  # which makes the bucket
        run.run(sys.executable, "-m", "e2e.world")
        run.start("web1", command_of("web"), WEB_BIND=f"127.0.0.1:{run.ports[0]}")
        public = store.replace("127.0.0.1", "localhost")
        bind = f"127.0.0.1:{run.ports[1]}"
        run.start("web2", command_of("web"), WEB_BIND=bind, S3_PUBLIC_ENDPOINT_URL=public)
        run.start_worker("worker1")
        try:
            nginx = stack.enter_context(Nginx(f"127.0.0.1:{run.ports[0]}"))
        except CannotServe as problem:
            pytest.skip(f"{problem}\n{run.log_tails()}")
        until(lambda: answer(run.ports[1], "/healthz").status == 200, run.log_tails, 60)
        yield Desk(run, nginx, store)


def test_customer_downloads_through_nginx(desk: Desk) -> None:
    image = desk.image()
    whole = desk.ask(image)

    assert (whole.status, whole.body[:4]) == (200, b"\x89PNG")
    assert len(whole.body) == int(whole.headers["Content-Length"])
    assert whole.headers["Content-Type"] == "image/png"
    assert whole.headers["Content-Disposition"] == 'inline; filename="captura.png"'
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    part = desk.ask(image, Range="bytes=1-3")
    assert (part.status, part.body) == (206, b"PNG")
    assert part.headers["Content-Range"] == f"bytes 1-3/{len(whole.body)}"
    head = desk.ask(image, "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(whole.body)))
    assert answer(desk.nginx.port, image).status == 404, "a stranger"


def test_browser_shows_thumbnail_and_picture(desk: Desk, browser: Browser) -> None:
    until(lambda: "/miniatura/" in desk.customer.get(desk.page).html, desk.stack.log_tails)
    context = browser.new_context(locale="es-VE")
    context.add_cookies(
        [{"name": c.name, "value": c.value or "", "url": desk.nginx.url} for c in desk.customer.cookies]
    )
    page = context.new_page()
    page.goto(f"{desk.nginx.url}{desk.page}")

    drawn = "image => image.complete && image.naturalWidth"
    assert until(lambda: page.locator(".file__thumb img").first.evaluate(drawn), "the thumbnail") > 0
    page.goto(f"{desk.nginx.url}{desk.image()}")
    assert page.locator("img").evaluate(drawn) == 720
    context.close()


def test_slow_readers_hold_no_thread_and_no_memory(desk: Desk) -> None:
    """Three times as many as threads take a file that fits into no buffer, and read a byte now and then."""
    video = desk.make_big()
    before = most_memory(desk)
    head = f"GET {video} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {desk.cookies}\r\n\r\n".encode()

    with SlowVisitors("reader", desk.nginx.port, THREADS * 3, head):
        until(lambda: answered(desk.stack.ports[0]), desk.stack.log_tails)
        whole = desk.ask(video)

    assert len(whole.body) == BIG
    assert most_memory(desk) - before < BIG / 2


def answered(port: int) -> bool:
    """Whether a thread of the web process is free, so that nginx has taken the answers from the others."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def most_memory(desk: Desk) -> int:
    """Return the most bytes that the web process has had in memory: its first process has forked it."""
    child = desk.stack.children["web1"].process
    assert child is not None
    workers = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    status = Path(f"/proc/{workers[0]}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def test_public_address_of_the_store_gives_the_same_file(desk: Desk) -> None:
    image = desk.image()
    streamed = desk.ask(image).body
    sent = desk.ask(image, port=desk.stack.ports[1])

    assert sent.status == 302
    address = urlsplit(sent.headers["Location"])
    assert (address.hostname, address.port) == ("localhost", urlsplit(desk.store).port)
    given = answer(int(address.port or 0), f"{address.path}?{address.query}", Host=address.netloc)
    assert (given.status, given.body) == (200, streamed)
    assert given.headers["Content-Type"] == "image/png"
    assert desk.ask(f"{image}miniatura/", port=desk.stack.ports[1]).status == 200


def test_nginx_sends_files_of_the_folder(desk: Desk) -> None:
    """With DESK_ACCEL_PREFIX the web process only says who may read them. It answers for a lost one itself."""
    in_folder = {name: "" for name in desk.stack.env if name.startswith("S3_")}
    in_folder["DESK_ACCEL_PREFIX"] = "/media-interna/"
    made = Stack(desk.stack.folder, desk.stack.env | in_folder)
    video = f"/adjuntos/{made.run(sys.executable, '-c', MAKE_BIG, desk.folio, str(BIG)).split()[-1]}/"
    port = spare_port()
    desk.stack.start("web4", command_of("web"), WEB_BIND=f"127.0.0.1:{port}", **in_folder)
    until(lambda: answer(port, "/healthz").status == 200, desk.stack.log_tails, 60)
    with Nginx(f"127.0.0.1:{port}", PROXY_MEDIA=str(desk.stack.folder / "media")) as front:
        whole = desk.ask(video, port=front.port)
        part = desk.ask(video, port=front.port, Range="bytes=5-9")
        head = desk.ask(video, "HEAD", port=front.port)
        lost = desk.ask(desk.image(), port=front.port)  # it is in the bucket
        stranger = answer(front.port, video)

    assert desk.ask(video, port=port).headers["X-Accel-Redirect"].startswith("/media-interna/attachments/")
    assert (whole.status, len(whole.body), part.status, part.body) == (200, BIG, 206, bytes(5))
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(BIG))
    assert whole.headers["Content-Type"] == "video/mp4"
    assert whole.headers["Content-Disposition"] == 'inline; filename="falla.mp4"'
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    assert "X-Accel-Redirect" not in whole.headers
    assert (lost.status, "No encontramos el archivo" in lost.text) == (404, True)
    assert stranger.status == 404


def test_web_process_of_an_absent_store(desk: Desk) -> None:
    """A third web process asks an address where nobody listens. The form keeps the text, /readyz says so."""
    port = spare_port()
    nowhere = f"http://127.0.0.1:{spare_port()}"
    desk.stack.start("web3", command_of("web"), WEB_BIND=f"127.0.0.1:{port}", S3_ENDPOINT_URL=nowhere)
    until(lambda: answer(port, "/healthz").status == 200, desk.stack.log_tails, 60)
    customer = Visitor([port])
    customer.sign_in(CUSTOMER, PASSWORD)
    page = customer.get("/nuevo/?tipo=soporte-con-aprobacion.plataforma")
    text = {"title": "Otra falla", "description": "Esto me costó media hora."}
    picture = {"files": ("captura.png", make_file("captura.png"), "image/png")}

    with pytest.raises(AssertionError, match="422"):
        customer.submit(page.form("/detalles/"), text, picture)

    assert "Ahora mismo no podemos guardar archivos." in customer.page.text
    assert "Esto me costó media hora." in customer.page.html
    assert b'"store": {"ok": false' in answer(port, "/readyz").body
    assert desk.ask(desk.image(), port=port).status == 503
    page = customer.submit(customer.page.form("/detalles/"), text)
    assert "Contacto" in page.text, "without the file it goes on"
