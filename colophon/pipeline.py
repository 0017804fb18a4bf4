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
from colophon.errors import ColophonError
from colophon.keys import Signer

TIMEOUT_SECONDS = 20.0


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
        self, site: str, api_key: str, http: httpx.Client | None = None
    ) -> None:
        self.site = site.rstrip("/")
        self._http = http or httpx.Client(timeout=TIMEOUT_SECONDS)
        self._headers = {"Authorization": f"Bearer {api_key}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
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
        """
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
            if error.code != "key-conflict":
                raise

    def open_run(self, name: str, run_id: str | None = None) -> OpenRun:
        """Open a run and get its ticket.

        Args:
            run_id: of a run that began while the site was out of reach.
        """
        body = {"name": name} | ({"id": run_id} if run_id else {})
        found = self._ask("POST", "/api/v1/runs", json=body)
        digest = bytes.fromhex(found["ticket"]["digest"])
        ticket = TicketRef(bytes.fromhex(found["nonce"]), digest)
        return OpenRun(found["id"], ticket)

    def send_step(self, run_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Append a signed step; the same envelope again changes nothing."""
        return self._ask("POST", f"/api/v1/runs/{run_id}/steps", json=dict(body))

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
        except httpx.HTTPError as error:
            raise Unreachable(f"{self.site} did not answer: {error}") from error
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unreachable(f"{self.site} answered {answer.status_code}")
        if answer.is_error:
            raise _problem(answer)
        found: dict[str, Any] = answer.json()
        return found


def _problem(answer: httpx.Response) -> ApiError:
    """The problem of an error answer, whatever its body is."""
    try:
        body = answer.json()
    except ValueError:
        body = {}
    detail = str(body.get("detail") or body.get("title") or answer.reason_phrase)
    for one in body.get("errors") or []:
        detail += f"; {one.get('pointer', '')} {one.get('detail', '')}"
    return ApiError(answer.status_code, str(body.get("code", "")), detail)
