"""A node that misbehaves on demand: an HTTP proxy on loopback before the real one."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Rewrite = Callable[[Any, list[Any]], Any]


class Proxy:
    """Passes JSON-RPC on, unless told otherwise.

    Attributes:
        status: answer this HTTP status instead.
        deaf: methods that are passed on, but whose answer is cut off.
        refuses: by method, the JSON-RPC error answered without asking the node.
        rewrites: by method, what to answer instead of the node's result.
        seen: how often each method came.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.status: int | None = None
        self.deaf: set[str] = set()
        self.refuses: dict[str, str] = {}
        self.rewrites: dict[str, Rewrite] = {}
        self.seen: Counter[str] = Counter()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                proxy.answer(self)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(
            target=self.server.serve_forever, args=(0.02,), daemon=True
        )
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        asked = json.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        self.seen.update(call["method"] for call in calls)
        if self.status is not None:
            handler.send_error(self.status)
            return
        if not isinstance(asked, list) and asked["method"] in self.refuses:
            error = {"code": -32000, "message": self.refuses[asked["method"]]}
            self._write(handler, {"jsonrpc": "2.0", "id": asked["id"], "error": error})
            return
        request = urllib.request.Request(
            self.upstream, data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            told = json.load(response)
        if self.deaf & {call["method"] for call in calls}:
            handler.close_connection = True
            handler.connection.close()
            return
        if isinstance(told, list):
            told = [self._rewritten(c, t) for c, t in zip(calls, told, strict=True)]
        else:
            told = self._rewritten(asked, told)
        self._write(handler, told)

    @staticmethod
    def _write(handler: BaseHTTPRequestHandler, told: Any) -> None:
        data = json.dumps(told).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _rewritten(self, call: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
        rewrite = self.rewrites.get(call["method"])
        if rewrite is None:
            return told
        result = rewrite(told.get("result"), call["params"])
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}
