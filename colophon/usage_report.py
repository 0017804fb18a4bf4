"""Report uses from a file: CSV or NDJSON in, CloudEvents out, safe to run again.

A use without an id of its own gets one from what it says, so a second run of the same
file reports nothing twice. Rows that say the very same are told apart by their count,
in whatever order they come. Formats: docs/usage.md.
"""

from __future__ import annotations

import csv
import io
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from colophon import __version__
from colophon.client import check_url
from colophon.cloudevent import (
    EVENT_TYPE,
    MAX_BODY_BYTES,
    MAX_EVENTS,
    MAX_QUANTITY,
    SPEC_VERSION,
    parse_event,
)
from colophon.digest import canonical, sha256
from colophon.errors import CouldNotCheck, InputError
from colophon.fields import (
    MAX_RECORD_BYTES,
    Fields,
    format_time,
    load_json,
    read_moment,
)

SOURCE = "urn:colophon:usage-report"
MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_DIGITS = 20
COLUMNS = ("quantity", "time")
TRIES = 4
LONGEST_WAIT = 30.0
TIMEOUT_SECONDS = 60.0
_BUSY = (429, 502, 503, 504)
_REFUSED = 400

Event = dict[str, Any]


@dataclass
class Sent:
    """What a site answered, added up."""

    events: int = 0
    fresh: int = 0
    known: int = 0
    batches: list[str] = field(default_factory=list)


class RefusedError(InputError):
    """The site refused a batch; nothing of it was kept.

    Attributes:
        status: HTTP status.
        code: the problem's stable code.
        pointers: (place in the batch, what is wrong with it).
    """

    def __init__(
        self, status: int, code: str, detail: str, pointers: Sequence[tuple[str, str]]
    ) -> None:
        super().__init__(f"the site refused it with {status} {code}: {detail}")
        self.status = status
        self.code = code
        self.pointers = tuple(pointers)


def read_uses(data: bytes, *, name: str = "", license_code: str = "") -> list[Event]:
    """The CloudEvents of a file.

    Args:
        data: CSV with a header line, or one JSON object a line.
        name: of the file; `.csv` is CSV, `.ndjson`, `.jsonl` and `.json` lines. Other
            names are told apart by their first byte.
        license_code: what rows are about that name no license.

    Raises:
        InputError: names the line and the field.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"is over {MAX_FILE_BYTES:,} bytes; split it", name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8", name) from error
    rows = _csv_rows(text) if _is_csv(name, text) else _json_rows(text)
    count: Counter[bytes] = Counter()
    events = [_event(row, where, license_code, count) for where, row in rows]
    if not events:
        raise InputError("has no uses", name)
    return events


def send_uses(
    events: Sequence[Event],
    *,
    site: str,
    key: str,
    http: httpx.Client | None = None,
    said: Callable[[Sent], None] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> Sent:
    """Send events in batches of 1,000; each batch is kept whole or not at all.

    Args:
        events: as `read_uses` gave them.
        site: address of the site.
        key: an API key with the scope `report`.
        http: a connection to use, for tests.
        said: is told after each batch.
        wait: sleeps, when the site is busy.

    Raises:
        RefusedError: the site refused a batch; the ones before it are kept.
        CouldNotCheck: the site did not answer, after several tries.
    """
    check_url(site)
    sent = Sent()
    client = http or httpx.Client(timeout=TIMEOUT_SECONDS)
    try:
        for group in batches(events):
            answer = _post(client, site, key, group, wait)
            _add(sent, answer)
            said(sent)
    finally:
        if http is None:
            client.close()
    return sent


def batches(events: Sequence[Event]) -> Iterator[list[Event]]:
    """The events in groups that one request takes, by their number and their bytes."""
    group: list[Event] = []
    room = MAX_BODY_BYTES
    for event in events:
        size = len(canonical(event)) + 1  # a comma or bracket
        if group and (len(group) == MAX_EVENTS or size > room - 1):
            yield group
            group, room = [], MAX_BODY_BYTES
        group.append(event)
        room -= size
    if group:
        yield group


def _add(sent: Sent, answer: Any) -> None:
    """Add up one answer.

    Raises:
        CouldNotCheck: it is not the answer of a site.
    """
    found = answer.get("events") if isinstance(answer, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(o, Mapping) for o in found):
        words = "the site's answer names no events; is the address right?"
        raise CouldNotCheck("usage", words)
    for one in found:
        sent.events += 1
        sent.fresh += bool(one.get("new"))
        sent.known += not one.get("new")
        batch = str(one.get("batch", ""))
        if batch and batch not in sent.batches:
            sent.batches.append(batch)


def _post(
    client: httpx.Client,
    site: str,
    key: str,
    group: Sequence[Event],
    wait: Callable[[float], None],
) -> Any:
    """One batch; a busy or silent site is asked again, which is always safe."""
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/cloudevents-batch+json",
        "User-Agent": f"colophon/{__version__}",
    }
    url, body = f"{site.rstrip('/')}/api/v1/usage", canonical(list(group))
    why = ""
    for tried in range(TRIES):
        pause = min(2.0**tried, LONGEST_WAIT)
        try:
            answer = client.post(url, content=body, headers=headers)
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
        else:
            if answer.status_code < _REFUSED:
                return _json(answer)
            if answer.status_code not in _BUSY:
                raise _refusal(answer)
            why = f"answered {answer.status_code}"
            pause = min(_retry_after(answer, pause), LONGEST_WAIT)
        if tried + 1 < TRIES:
            wait(pause)
    raise CouldNotCheck("usage", f"{url}: {why}")


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise CouldNotCheck("usage", "the site did not answer in JSON") from error


def _refusal(answer: httpx.Response) -> RefusedError:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    errors = problem.get("errors")
    pointers = [
        (str(one.get("pointer", "")), str(one.get("detail", "")))
        for one in (errors if isinstance(errors, list) else [])
        if isinstance(one, dict)
    ]
    detail = str(problem.get("detail", "no reason given"))
    code = str(problem.get("code", "unknown"))
    return RefusedError(answer.status_code, code, detail, pointers)


def _retry_after(answer: httpx.Response, otherwise: float) -> float:
    try:
        seconds = float(answer.headers.get("Retry-After", otherwise))
    except ValueError:
        return otherwise
    return max(seconds, 0.0) if not math.isnan(seconds) else otherwise


def _is_csv(name: str, text: str) -> bool:
    suffix = name.lower().rpartition(".")[2]
    if suffix == "csv":
        return True
    return suffix not in ("ndjson", "jsonl", "json") and not text.lstrip().startswith(
        "{"
    )


def _json_rows(text: str) -> Iterator[tuple[str, Event]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            value = load_json(line, max_bytes=MAX_RECORD_BYTES)
        except InputError as error:
            raise InputError(error.message, where) from error
        if not isinstance(value, dict):
            raise InputError("is no JSON object", where)
        yield where, value


def _csv_rows(text: str) -> Iterator[tuple[str, Event]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = _header(next(reader, []))
        for row in reader:
            where = f"line {reader.line_num}"
            if not row:
                continue
            if len(row) != len(header):
                raise InputError("has another number of fields than the header", where)
            named = zip(header, map(str.strip, row), strict=True)
            yield where, _whole_numbers(dict(named), where)
    except csv.Error as error:
        raise InputError(f"is not CSV: {error}", f"line {reader.line_num}") from error


def _header(names: Sequence[str]) -> list[str]:
    """The columns, each once, with all that a row needs."""
    header = [name.strip().lower() for name in names]
    for name in COLUMNS:
        if name not in header:
            raise InputError(
                f"has no column {name}; expected {', '.join(COLUMNS)}", "header"
            )
    if twice := next((name for name in header if header.count(name) > 1), None):
        raise InputError(f"has the column {twice[:64]} twice", "header")
    return header


def _whole_numbers(row: dict[str, str], where: str) -> Event:
    """A CSV row with its quantity as a number."""
    text = row["quantity"]
    if not (text.isascii() and text.isdigit()) or len(text) > MAX_DIGITS:
        raise InputError("is not a whole number", f"{where}/quantity")
    kept = {key: value for key, value in row.items() if value}
    return {**kept, "quantity": int(text)}


def _event(row: Event, where: str, license_code: str, count: Counter[bytes]) -> Event:
    """The CloudEvent of a row; one that is a CloudEvent already stays as it is."""
    if "specversion" in row:
        return parse_event(row, at=where).body
    if license_code and "license" not in row:
        row = {**row, "license": license_code}
    fields = Fields(row, where)
    use: Event = {
        "license": fields.identifier("license"),
        "quantity": fields.integer("quantity", 0, MAX_QUANTITY),
        "time": format_time(read_moment(fields.raw("time"), fields.at("time"))),
    }
    event_id = fields.maybe_text("id")
    if event_id is None:
        says = sha256(canonical(use))
        count[says] += 1
        event_id = "row-" + sha256(canonical([says.hex(), count[says]])).hex()[:40]
    fields.close()
    return {
        "specversion": SPEC_VERSION,
        "type": EVENT_TYPE,
        "source": SOURCE,
        "id": event_id,
        "subject": use["license"],
        "time": use["time"],
        "data": {"quantity": use["quantity"]},
    }
