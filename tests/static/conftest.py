"""A browser and a small web server that shows templates under the site's CSP.

The pages are the real base template, partials, styles and scripts; only the answers of
the server to what scripts send are written here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django_htmx
import pytest
from django.template import engines
from playwright.sync_api import Browser, Page

from tests.browser import launched

ROOT = Path(__file__).resolve().parents[2]
HTMX = Path(django_htmx.__file__).parent / "static" / "django_htmx"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; form-action 'self'"
)
KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
Answer = tuple[int, str, str]  # status, content type (or Location), body


class Site:
    """Pages by path, and handlers for what scripts post; keeps every request."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.handlers: dict[str, Callable[[dict[str, Any]], Answer]] = {}
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    def page(self, path: str, content: str, scripts: str = "", **context: Any) -> str:
        """Render ``content`` inside base.html and serve it at ``path``."""
        loads = "{% load static colophon_format colophon_chart %}"
        tags = "".join(
            f'<script type="module" src="/static/js/{name}.js"></script>'
            for name in scripts.split()
        )
        source = (
            '{% extends "base.html" %}' + loads + "{% block content %}" + content
        ) + ("{% endblock %}{% block scripts %}" + tags + "{% endblock %}")
        self.pages[path] = engines["django"].from_string(source).render(context)
        return self.url + path

    def answer(self, path: str, fields: dict[str, Any]) -> Answer:
        """Return what the server says to one request."""
        self.seen.append((path, fields))
        if path in self.handlers:
            return self.handlers[path](fields)
        if path in self.pages:
            return 200, "text/html; charset=utf-8", self.pages[path]
        return 404, "text/html", "not here"


def fields_of(handler: BaseHTTPRequestHandler) -> dict[str, Any]:
    """Return query and form fields; of a file its bytes."""
    fields: dict[str, Any] = {
        name: values[0]
        for name, values in parse_qs(urlsplit(handler.path).query).items()
    }
    body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    kind = handler.headers.get("Content-Type", "")
    if kind.startswith("multipart/"):
        message = BytesParser(policy=default).parsebytes(
            f"Content-Type: {kind}\r\n\r\n".encode() + body
        )
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            fields[str(name)] = part.get_payload(decode=True)
    else:
        fields |= {name: values[0] for name, values in parse_qs(body.decode()).items()}
    return fields


class Server(ThreadingHTTPServer):
    """A server that takes a page's whole burst of connections."""

    request_queue_size = 128
    daemon_threads = True


def serve(site: Site) -> ThreadingHTTPServer:
    """Serve the site on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/static/"):
                self.static(path.removeprefix("/static/"))
                return
            status, kind, body = site.answer(path, fields_of(self))
            self.send(status, kind, body.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def static(self, name: str) -> None:
            inside = name.startswith("django_htmx/")
            file = HTMX / Path(name).name if inside else ROOT / "static" / name
            self.send(200, KINDS[file.suffix], file.read_bytes())

        def send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            redirect = 300 <= status < 400
            self.send_header("Location" if redirect else "Content-Type", kind)
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Keep the test report quiet."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


@pytest.fixture
def site() -> Iterator[Site]:
    """An empty site on loopback."""
    result = Site()
    server = serve(result)
    result.url = f"http://127.0.0.1:{server.server_port}"
    yield result
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The installed Chromium, without any network of its own."""
    with launched() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that fails the test on any console error or refused resource."""
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    result = context.new_page()
    result.set_default_timeout(60_000)
    errors: list[str] = []
    result.on("pageerror", lambda error: errors.append(str(error)))
    result.on(
        "console",
        lambda line: (
            line.type == "error"
            and "the server responded with a status of" not in line.text
            and errors.append(line.text)
        ),
    )
    yield result
    context.close()
    assert errors == []


def as_json(value: Any) -> Answer:
    """Answer with JSON."""
    return 200, "application/json", json.dumps(value)
