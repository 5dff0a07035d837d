"""A site of somebody else: a small server on a port of its own, whose page loads the desk's widget."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

PAGE = """<!doctype html>
<html lang="es"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Garaje El Roble</title><link rel="icon" href="data:,"></head>
<body style="margin:0;font-family:serif"><header><a href="#">Reservar</a></header>
<main style="min-height:1200px"><h1>Un cupo seguro en el centro</h1></main>
<footer style="padding:24px"><a href="{desk}/asistente/">Ayuda</a></footer>
<script src="{desk}/widget.js" defer></script></body></html>"""


class Site:
    """The running site. `desk` is the address of the desk whose widget its page loads.

    It answers under two names of this machine, which are two origins: `listed` and `unlisted`.
    """

    desk = ""

    def __init__(self, port: int) -> None:
        self.listed, self.unlisted = f"http://localhost:{port}", f"http://127.0.0.1:{port}"


@contextmanager
def running() -> Iterator[Site]:
    site: Site

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(PAGE.format(desk=site.desk).encode())

        def log_message(self, *arguments: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(server.server_port)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
