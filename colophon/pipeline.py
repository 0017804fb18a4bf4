"""The pipeline's side of the API: enroll a key, open runs, send steps, upload works.

Plain HTTP over httpx; every call is safe to repeat. Reading and checking evidence is
`colophon.client`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx

from colophon import enrollment, statement
from colophon.acts import TicketRef
from colophon.client import check_url
from colophon.errors import ColophonError, InputError
from colophon.keys import Signer

TIMEOUT_SECONDS = 20.0
NOT_FOUND = 404
TOO_MANY = 429


class ApiError(ColophonError):
    """The site refused a request.

    Attributes:
        status: HTTP status.
        code: the problem's stable code (RFC 9457).
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code


class Unreachable(ColophonError):  # noqa: N818 - a state, not a fault
    """The site did not answer; what was recorded is kept and sent later."""


@dataclass(frozen=True)
class OpenRun:
    """A run that the site knows, with the ticket its steps sign."""

    id: str
    ticket: TicketRef


class Pipeline:
    """A connection to one site with one API key."""

    def __init__(
        self,
        site: str,
        api_key: str,
        http: httpx.Client | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """Connect when first asked.

        Args:
            http: your own client, which stays open; its time limits are its own.
            timeout_seconds: for each part of a request.

        Raises:
            InputError: not an address, or not an API key.
        """
        check_url(site)
        if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise InputError("is no API key, like clp_…", "api_key")
        self.site = site.rstrip("/")
        self._given = http is not None
        self._http = http or httpx.Client(timeout=timeout_seconds)
        self._headers = {"Authorization": f"Bearer {api_key}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back; a client that was given stays open."""
        if not self._given:
            self._http.close()

    def me(self) -> dict[str, Any]:
        """Who the API key acts for."""
        return self._ask("GET", "/api/v1/me")

    def enroll(
        self, key: Signer, *, purpose: str = "actor", models: tuple[bytes, ...] = ()
    ) -> None:
        """Enroll a key that lives here; enrolled already is fine.

        Args:
            key: signs its own enrollment.
            purpose: actor, or runtime for a key that speaks for `models`.
            models: digests of those models.

        Raises:
            InputError: the key was revoked.
        """
        if self._is_enrolled(key):
            return
        made = enrollment.build_enrollment(
            key.public_spki,
            purpose=purpose,
            custody="client",
            enrolled_on=datetime.now(UTC),
            account=self.me()["account_key"],
            models=models,
        )
        body = {"envelope": statement.sign(made, key).to_json(), "label": "pipeline"}
        try:
            self._ask("POST", "/api/v1/keys", json=body)
        except ApiError as error:
            # Another process was quicker, or another account of yours has it.
            if error.code != "key-conflict":
                raise

    def _is_enrolled(self, key: Signer) -> bool:
        try:
            found = self._ask("GET", f"/api/v1/keys/{key.key_id}")
        except ApiError as error:
            if error.status == NOT_FOUND:
                return False
            raise
        if found.get("revoked_at"):
            raise InputError(
                f"{key.key_id[:12]}… was revoked; move its file away to make a new one",
                "key",
            )
        return True

    def open_run(self, name: str, run_id: str | None = None) -> OpenRun:
        """Open a run and get its ticket.

        Args:
            run_id: of a run that began while the site was out of reach.
        """
        body = {"name": name} | ({"id": run_id} if run_id else {})
        found = self._ask("POST", "/api/v1/runs", json=body)
        try:
            digest = bytes.fromhex(found["ticket"]["digest"])
            ticket = TicketRef(bytes.fromhex(found["nonce"]), digest)
            return OpenRun(str(found["id"]), ticket)
        except (KeyError, TypeError, ValueError) as error:
            raise _foreign(self.site, "has no ticket") from error

    def send_step(self, run_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Append a signed step; the same envelope again changes nothing."""
        return self._ask("POST", f"/api/v1/runs/{run_id}/steps", json=dict(body))

    def send_proxy(self, run_id: str, digest: bytes, copy: bytes) -> dict[str, Any]:
        """Send the smaller copy of a picture, once a step names its SHA-256."""
        return self._ask(
            "PUT",
            f"/api/v1/runs/{run_id}/proxies/{digest.hex()}",
            content=copy,
            headers={"Content-Type": "image/jpeg"},
        )

    def upload(self, path: Path | str, **fields: str) -> dict[str, Any]:
        """Upload a finished picture; `fields` are those of `POST /api/v1/assets`."""
        with Path(path).open("rb") as file:
            files = {"file": (Path(path).name, file)}
            return self._ask("POST", "/api/v1/assets", files=files, data=fields)

    def ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Any other request to the API; returns its JSON."""
        return self._ask(method, path, **options)

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        headers = self._headers | options.pop("headers", {})
        try:
            answer = self._http.request(
                method, f"{self.site}{path}", headers=headers, **options
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"{self.site} did not answer: {error}") from error
        status = answer.status_code
        if answer.is_server_error or status == TOO_MANY:
            raise Unreachable(f"{self.site} answered {status}")
        if not answer.is_success:
            raise _problem(answer)
        try:
            found = answer.json()
        except ValueError as error:
            raise _foreign(self.site, "is no JSON") from error
        if not isinstance(found, dict):
            raise _foreign(self.site, "is no JSON object")
        return found


def _foreign(site: str, why: str) -> ApiError:
    """What answered is no Colophon site: a proxy's page, a wrong address."""
    return ApiError(200, "not-colophon", f"the answer of {site} {why}")


def _problem(answer: httpx.Response) -> ApiError:
    """The problem of an error answer, whatever its body is."""
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    detail = str(body.get("detail") or body.get("title") or answer.reason_phrase)
    errors = body.get("errors")
    for one in errors if isinstance(errors, list) else []:
        if isinstance(one, dict):
            detail += f"; {one.get('pointer', '')} {one.get('detail', '')}"
    return ApiError(answer.status_code, str(body.get("code", "")), detail)
