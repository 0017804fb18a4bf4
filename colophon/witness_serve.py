"""Serve a witness over HTTP on the loopback: one address, small bodies, no secrets.

A proxy with TLS stands in front where the log is on another machine.
"""

from __future__ import annotations

import signal
import sqlite3
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType

from colophon.tlogwitness import MAX_REQUEST_BYTES, PATH
from colophon.witness import Answer, Witness

HOST = "127.0.0.1"
IDLE_SECONDS = 30.0
MAX_DIGITS = 9


class Server(ThreadingHTTPServer):
    """The server of one witness."""

    daemon_threads = True

    def __init__(self, witness: Witness, port: int) -> None:
        """Listen on the loopback; port 0 takes a free one."""
        super().__init__((HOST, port), _Handler)
        self.witness = witness


def serve(witness: Witness, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; says where, once it answers."""
    with Server(witness, port) as server:
        signal.signal(signal.SIGTERM, _end)
        place = f"http://{HOST}:{server.server_port}"
        sys.stdout.write(f"{witness.key.vkey} at {place}\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            server.serve_forever()


class _Handler(BaseHTTPRequestHandler):
    """Answers add-checkpoint and nothing else."""

    protocol_version = "HTTP/1.1"
    server_version = "colophon-witness"
    sys_version = ""
    timeout = IDLE_SECONDS
    server: Server

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self._refuse(411, "say how long the body is (Content-Length)")
        elif len(length) > MAX_DIGITS or int(length) > MAX_REQUEST_BYTES:
            self._refuse(413, f"a request has at most {MAX_REQUEST_BYTES} bytes")
        elif self.path != PATH:
            self._refuse(404, f"ask for {PATH}")
        else:
            body = self.rfile.read(int(length))
            try:
                self._send(self.server.witness.add_checkpoint(body))
            except sqlite3.Error as error:
                sys.stderr.write(f"state cannot be written: {error}\n")
                self._refuse(503, "the state cannot be written; nothing was cosigned")

    def do_GET(self) -> None:
        self._refuse(405 if self.path == PATH else 404, f"POST to {PATH}")

    def _refuse(self, status: int, why: str) -> None:
        """Answer without reading the body, and hang up."""
        self.close_connection = True
        self._send(Answer(status, f"{why}\n"))

    def _send(self, answer: Answer) -> None:
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """One line for each answer; bodies are never written down."""
        sys.stderr.write(f"{self.log_date_time_string()} {format % arguments}\n")


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
