"""Fetch trust, evidence, the log and chain answers over HTTP, with limits.

Nothing fetched here is believed: the callers check it. Redirects are not followed,
answers are cut off at a size, and every failure to reach somebody is a
`CouldNotCheck`, never a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from colophon import __version__
from colophon.archive import MAX_ARCHIVE_BYTES
from colophon.errors import CouldNotCheck, InputError
from colophon.fields import load_json
from colophon.note import MAX_NOTE_BYTES
from colophon.tiles import MAX_ENTRY_BYTES, TILE_WIDTH
from colophon.trust import MAX_BYTES as MAX_TRUST_BYTES

TIMEOUT_SECONDS = 20.0
MAX_SIMILAR_BYTES = 64 * 1024
MAX_RPC_BYTES = 4 * 1024 * 1024
_NOT_FOUND = 404
_OK = 200


class Client:
    """One HTTP connection pool with our limits."""

    def __init__(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        agent = f"colophon/{__version__}"
        self._http = httpx.Client(
            timeout=timeout_seconds,
            follow_redirects=False,
            headers={"User-Agent": agent},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, url: str, *, limit: int, what: str) -> bytes | None:
        """The body of an address; None when there is nothing (404).

        Args:
            url: http or https.
            limit: bytes, at most.
            what: named when it cannot be had.

        Raises:
            CouldNotCheck: not reachable, another status, or too large.
            InputError: not an address.
        """
        return self._ask("GET", url, limit=limit, what=what)

    def post_json(self, url: str, body: Any, *, limit: int, what: str) -> Any:
        """The JSON answer to a JSON body.

        Raises:
            CouldNotCheck: not reachable, another status, too large, or no JSON.
            InputError: not an address.
        """
        answer = self._ask("POST", url, limit=limit, what=what, body=body)
        if answer is None:
            raise CouldNotCheck(what, f"{url} answered 404")
        try:
            return load_json(answer, max_bytes=limit)
        except InputError as error:
            raise CouldNotCheck(what, f"{url} did not answer in JSON") from error

    def _ask(
        self, method: str, url: str, *, limit: int, what: str, body: Any = None
    ) -> bytes | None:
        check_url(url)
        try:
            with self._http.stream(method, url, json=body) as answer:
                if answer.status_code == _NOT_FOUND:
                    return None
                if answer.status_code != _OK:
                    raise CouldNotCheck(what, f"{url} answered {answer.status_code}")
                return _bounded(answer, limit, what)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = str(error) or type(error).__name__
            raise CouldNotCheck(what, f"{url} cannot be reached: {why}") from error


def _bounded(answer: httpx.Response, limit: int, what: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > limit:
            raise CouldNotCheck(what, f"the answer is over {limit} bytes")
        parts.append(part)
    return b"".join(parts)


def check_url(url: str) -> None:
    """Refuse what is no http or https address.

    Raises:
        InputError: names what is expected.
    """
    if not url.startswith(("http://", "https://")):
        raise InputError("is not an address; start it with https:// or http://", "url")


def fetch_trust(client: Client, url: str) -> bytes:
    """The trust file of a site, by the site's address or the file's own.

    Raises:
        CouldNotCheck: it cannot be had.
    """
    place = url if url.endswith(".json") else f"{url.rstrip('/')}/trust.json"
    data = client.get(place, limit=MAX_TRUST_BYTES, what="trust")
    if data is None:
        raise CouldNotCheck("trust", f"{place} does not exist")
    return data


def fetch_bundle(client: Client, site: str, sha256: bytes) -> bytes | None:
    """The evidence that a site has about a file; None when it has none.

    Raises:
        CouldNotCheck: the site cannot be asked.
    """
    url = f"{site}/api/v1/evidence?sha256={sha256.hex()}"
    return client.get(url, limit=MAX_ARCHIVE_BYTES, what="evidence")


def fetch_similar(client: Client, site: str, prints: list[str]) -> list[dict[str, Any]]:
    """Public works of a site that a picture looks like, the nearest first.

    Args:
        prints: PDQ prints in hex, at most 56 (`fingerprints.pdq`, `asked`).

    Raises:
        CouldNotCheck: the site cannot be asked, or its answer is not understood.
    """
    url = f"{site}/api/v1/look-alikes?pdq={','.join(prints)}"
    data = client.get(url, limit=MAX_SIMILAR_BYTES, what="look-alikes")
    try:
        listed = load_json(data)["similar"] if data else []
        return [
            {
                "asset": str(one["asset"]),
                "title": str(one["title"]),
                "bits": int(one["bits"]),
                "strong": bool(one["strong"]),
            }
            for one in listed
        ]
    except (InputError, KeyError, TypeError, ValueError) as error:
        why = f"{site} did not answer as expected"
        raise CouldNotCheck("look-alikes", why) from error


class LogSite:
    """A log served as C2SP tlog-tiles."""

    def __init__(self, client: Client, url: str) -> None:
        """Take the log's prefix, or the site that has it under `/log`."""
        check_url(url)
        base = url.rstrip("/")
        self.base = base if base.endswith("/log") else f"{base}/log"
        self._client = client

    def checkpoint(self) -> str:
        """The newest checkpoint note.

        Raises:
            CouldNotCheck: it cannot be had.
        """
        return self._need("checkpoint", MAX_NOTE_BYTES).decode("utf-8", "replace")

    def resource(self, path: str) -> bytes:
        """A tile or entry bundle by its path.

        Raises:
            CouldNotCheck: it cannot be had.
        """
        return self._need(path, TILE_WIDTH * (MAX_ENTRY_BYTES + 2))

    def keys(self) -> list[str]:
        """The verifier keys that the log names itself; only for a first use.

        Raises:
            CouldNotCheck: they cannot be had.
        """
        try:
            listed = load_json(self._need("keys", MAX_NOTE_BYTES))
            return [str(one["vkey"]) for one in listed["keys"]]
        except (InputError, KeyError, TypeError) as error:
            raise CouldNotCheck("log", "its keys cannot be read") from error

    def _need(self, path: str, limit: int) -> bytes:
        data = self._client.get(f"{self.base}/{path}", limit=limit, what="log")
        if data is None:
            raise CouldNotCheck("log", f"{self.base}/{path} does not exist")
        return data


class Rpc:
    """An Ethereum node's JSON-RPC, read only."""

    def __init__(self, client: Client, url: str) -> None:
        check_url(url)
        self._client, self._url = client, url

    def call(self, method: str, params: Sequence[Any]) -> Any:
        """The result of one method.

        Raises:
            CouldNotCheck: the node cannot be reached or refuses.
        """
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = self._client.post_json(
            self._url, body, limit=MAX_RPC_BYTES, what="chain"
        )
        if not isinstance(answer, dict) or "error" in answer or "result" not in answer:
            raise CouldNotCheck("chain", f"the node refuses {method}")
        return answer["result"]
