"""Uses from files: the same file gives the same events, safe to send again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import cli
from colophon.cloudevent import MAX_BODY_BYTES, MAX_EVENTS
from colophon.digest import canonical
from colophon.errors import CouldNotCheck, InputError
from colophon.usage_report import (
    TRIES,
    RefusedError,
    Sent,
    batches,
    read_uses,
    send_uses,
)
from tests.colophon.bundles import an_id

LICENSE, OTHER = an_id("lic", 1), an_id("lic", 2)
TIME = "2026-11-23T12:00:00Z"
EARLY = "0001-01-01T00:00:00+23:59"
CSV = f"license,quantity,time\n{LICENSE},1000,{TIME}\n{LICENSE},7,{TIME}\n"


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in events]


def test_a_csv_row_becomes_a_cloudevent() -> None:
    first, _ = read_uses(CSV.encode(), name="uses.csv")
    assert first == {
        "specversion": "1.0",
        "type": "com.colophon.usage.v1",
        "source": "urn:colophon:usage-report",
        "id": first["id"],
        "subject": LICENSE,
        "time": TIME,
        "data": {"quantity": 1000},
    }
    assert first["id"].startswith("row-")


def test_the_same_file_gives_the_same_events() -> None:
    assert read_uses(CSV.encode()) == read_uses(CSV.encode())
    spaced = (
        f"\ufefftime, Quantity ,LICENSE\n2026-11-23T13:00:00+01:00, 1000 ,{LICENSE}\n"
    )
    assert read_uses(spaced.encode())[0] == read_uses(CSV.encode())[0]


def test_rows_that_say_the_same_are_all_counted() -> None:
    row = f"{LICENSE},5,{TIME}\n"
    events = read_uses(f"license,quantity,time\n{row}{row}{row}".encode())
    assert len(set(ids(events))) == 3


def test_the_order_of_the_rows_does_not_change_their_ids() -> None:
    head, *rows = CSV.splitlines()
    turned = "\n".join([head, *reversed(rows)])
    assert sorted(ids(read_uses(turned.encode()))) == sorted(
        ids(read_uses(CSV.encode()))
    )


@given(quantities=st.lists(st.integers(0, 50), min_size=1, max_size=30), cut=st.data())
def test_a_file_that_grew_keeps_the_ids_it_had(
    quantities: list[int], cut: st.DataObject
) -> None:
    rows = [f"{LICENSE},{one},{TIME}" for one in quantities]
    part = rows[: cut.draw(st.integers(1, len(rows)))]
    head = "license,quantity,time"
    whole = ids(read_uses("\n".join([head, *rows]).encode()))
    known = ids(read_uses("\n".join([head, *part]).encode()))
    assert len(set(whole)) == len(whole)
    assert whole[: len(known)] == known


def test_lines_of_json_may_name_their_own_ids_or_be_cloudevents() -> None:
    event = read_uses(CSV.encode())[0]
    lines = [
        {"license": LICENSE, "quantity": 1, "time": TIME, "id": "mine"},
        {"license": LICENSE, "quantity": 1, "time": TIME},
        event,
    ]
    data = "\n\n".join(json.dumps(one) for one in lines)
    found = read_uses(data.encode(), name="uses.ndjson")
    assert ids(found)[0] == "mine"
    assert found[2] == event
    assert read_uses(data.encode()) == found  # told apart by its first byte


def test_a_license_given_once_is_for_rows_without_one() -> None:
    data = f"quantity,time,license\n1,{TIME},\n2,{TIME},{OTHER}\n".encode()
    found = read_uses(data, license_code=LICENSE)
    assert [one["subject"] for one in found] == [LICENSE, OTHER]
    with pytest.raises(InputError, match="line 2/license: is missing"):
        read_uses(data)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column quantity"),
        ("license,quantity,time\n", "has no uses"),
        (f"license,time\n{LICENSE},{TIME}\n", "has no column quantity"),
        (f"license,quantity,time\n{LICENSE},1.5,{TIME}\n", "line 2/quantity"),
        (f"license,quantity,time\n{LICENSE},-1,{TIME}\n", "line 2/quantity"),
        (f"license,quantity,time\n{LICENSE},1e3,{TIME}\n", "line 2/quantity"),
        (f"license,quantity,time\n{LICENSE},2000000000,{TIME}\n", "line 2/quantity"),
        (f"license,quantity,time\nlic_1,1,{TIME}\n", "line 2/license"),
        (f"license,quantity,time\n{LICENSE},1,23.11.2026\n", "line 2/time"),
        (f"license,quantity,time\n{LICENSE},1,2026-11-23 12:00\n", "with an offset"),
        (f"license,quantity,time\n{LICENSE},{'9' * 5000},{TIME}\n", "line 2/quantity"),
        (f"license,quantity,time\n{LICENSE},²,{TIME}\n", "line 2/quantity"),
        (f"license,quantity,time\n{LICENSE},1,{TIME[:-1]}+23:59\0\n", "line 2/time"),
        (f"license,quantity,time\n{LICENSE},1,{EARLY}\n", "line 2/time"),
        (f"license,quantity,time,time\n{LICENSE},1,{TIME},{TIME}\n", "time twice"),
        (f"license,quantity,time\n{'x' * 200_000},1,{TIME}\n", "line 2: is not CSV"),
        ('"' + "x" * 200_000, "line 1: is not CSV"),
        (f'license,quantity,time\n{LICENSE},"1\n', "is not CSV"),
        ('{"quantity": ' + "[" * 50_000 + "]" * 50_000 + "}", "line 1: is "),
        ('{"license": "' + r"\ud800" + '"}', "line 1"),
        (f"license,quantity,time\n{LICENSE},1,{TIME},9\n", "another number of fields"),
        (f"license,quantity,time\n{LICENSE},1\n", "another number of fields"),
        (f"license,quantity,time,price\n{LICENSE},1,{TIME},9\n", "line 2/price"),
        ('{"license": 1}\n', "line 1/license"),
        ('{"quantity": 1.5}\n', "line 1"),
        ("{}\n[1]\n", "line 1"),
        ('{"specversion": "0.3"}\n', "line 1/specversion"),
    ],
)
def test_a_wrong_row_is_named(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_uses(text.encode(), name="" if text else "uses.csv")
    assert words in str(caught.value)


def test_a_quantity_is_read_to_its_last_digit() -> None:
    """Twelve zeros before a number once made it nothing."""
    found = read_uses(f"license,quantity,time\n{LICENSE},{5:020},{TIME}\n".encode())
    assert found[0]["data"] == {"quantity": 5}
    long = f"license,quantity,time\n{LICENSE},1234567890123,{TIME}\n".encode()
    with pytest.raises(InputError, match="is 1234567890123, expected 0 to"):
        read_uses(long)


def test_only_a_line_feed_ends_a_line_of_json() -> None:
    row = {"license": LICENSE, "quantity": 1, "time": TIME, "id": "a\u2028b\x85c"}
    data = json.dumps(row, ensure_ascii=False)
    assert ids(read_uses(f"{data}\r\n".encode(), name="uses.ndjson")) == [row["id"]]


def test_batches_keep_to_the_bytes_that_a_request_may_have() -> None:
    event = read_uses(CSV.encode())[0]
    heavy = [{**event, "id": str(n), "note": "x" * 60_000} for n in range(200)]
    groups = list(batches(heavy))
    assert [one for group in groups for one in group] == heavy
    sizes = [len(canonical(group)) for group in groups]
    assert max(sizes) <= MAX_BODY_BYTES
    assert len(groups) == 3
    assert [len(one) for one in batches([event] * 2_001)] == [1_000, 1_000, 1]
    assert list(batches([])) == []


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(InputError, match="is not UTF-8"):
        read_uses(b"\xff\xfe", name="uses.csv")


# --- sending


@dataclass
class Shop:
    """A site that answers by a script, then as if it took everything."""

    url: str = ""
    script: list[tuple[int, dict[str, Any], dict[str, str]]] = field(
        default_factory=list
    )
    bodies: list[list[dict[str, Any]]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def take(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        """Count each id once, as the real site does."""
        answers = [
            {"id": one["id"], "new": one["id"] not in self.known, "batch": "bat_1"}
            for one in events
        ]
        self.known |= {one["id"] for one in events}
        return {"events": answers}


@contextmanager
def shop_at_work() -> Iterator[Shop]:
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            events = json.loads(self.rfile.read(size))
            assert self.headers["Content-Type"] == "application/cloudevents-batch+json"
            shop.keys.append(self.headers["Authorization"])
            shop.bodies.append(events)
            code, body, headers = (
                shop.script.pop(0) if shop.script else (202, shop.take(events), {})
            )
            data = json.dumps(body).encode()
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Keep the test's output quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        shop.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield shop
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def shop() -> Iterator[Shop]:
    with shop_at_work() as found:
        yield found


def many(count: int) -> list[dict[str, Any]]:
    rows = "\n".join(f"{LICENSE},{one},{TIME}" for one in range(count))
    return read_uses(f"license,quantity,time\n{rows}".encode())


def test_events_go_out_in_batches_and_a_second_run_is_known(shop: Shop) -> None:
    events = many(2 * MAX_EVENTS + 1)
    told: list[int] = []
    sent = send_uses(
        events, site=shop.url, key="clp_a", said=lambda s: told.append(s.events)
    )
    assert [len(one) for one in shop.bodies] == [MAX_EVENTS, MAX_EVENTS, 1]
    assert set(shop.keys) == {"Bearer clp_a"}
    assert told == [MAX_EVENTS, 2 * MAX_EVENTS, 2 * MAX_EVENTS + 1]
    assert (sent.fresh, sent.known) == (2 * MAX_EVENTS + 1, 0)
    again = send_uses(events, site=shop.url, key="clp_a")
    assert (again.fresh, again.known) == (0, 2 * MAX_EVENTS + 1)


def test_a_busy_site_is_asked_again_when_it_says(shop: Shop) -> None:
    shop.script = [(429, {}, {"Retry-After": "3"}), (503, {}, {})]
    waits: list[float] = []
    sent = send_uses(many(1), site=shop.url, key="k", wait=waits.append)
    assert sent.fresh == 1
    assert waits == [3.0, 2.0]


def test_a_site_that_stays_busy_or_away_could_not_be_told(shop: Shop) -> None:
    shop.script = [(503, {}, {})] * TRIES
    with pytest.raises(CouldNotCheck, match="answered 503"):
        send_uses(many(1), site=shop.url, key="k", wait=lambda _: None)
    with pytest.raises(CouldNotCheck):
        send_uses(many(1), site="http://127.0.0.1:9", key="k", wait=lambda _: None)
    with pytest.raises(InputError):
        send_uses(many(1), site="shop.example", key="k")


def test_a_refusal_names_code_and_place_and_stops(shop: Shop) -> None:
    problem = {
        "code": "usage-unknown-license",
        "detail": "Put the id of one of your licenses into subject.",
        "errors": [{"pointer": "/0/subject", "detail": "is no license of yours"}],
    }
    shop.script = [(202, {"events": []}, {}), (404, problem, {})]
    with pytest.raises(RefusedError) as caught:
        send_uses(many(MAX_EVENTS * 3), site=shop.url, key="k")
    assert (caught.value.status, caught.value.code) == (404, "usage-unknown-license")
    assert caught.value.pointers == (("/0/subject", "is no license of yours"),)
    assert len(shop.bodies) == 2


def test_an_answer_that_is_no_problem_document_is_a_refusal_too(shop: Shop) -> None:
    shop.script = [(400, {"errors": "x"}, {})]
    with pytest.raises(RefusedError, match="400 unknown"):
        send_uses(many(1), site=shop.url, key="k")
    assert Sent().events == 0


@pytest.mark.parametrize("answer", [{}, [], None, {"events": 3}, {"events": [1]}])
def test_an_answer_that_names_no_events_is_no_answer(shop: Shop, answer: Any) -> None:
    shop.script = [(200, answer, {})]
    with pytest.raises(CouldNotCheck, match="names no events"):
        send_uses(many(1), site=shop.url, key="k")


@pytest.mark.parametrize("wait", ["nan", "-5", "1e999", "soon", "Wed, 21 Oct 2026"])
def test_a_senseless_wait_is_a_short_one(shop: Shop, wait: str) -> None:
    shop.script = [(429, {}, {"Retry-After": wait})]
    waits: list[float] = []
    assert send_uses(many(1), site=shop.url, key="k", wait=waits.append).fresh == 1
    assert 0 <= waits[0] <= 30


# --- the command


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("COLOPHON_API_KEY", "COLOPHON_SITE"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "uses.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def call(*words: object) -> int:
    return cli.main([str(one) for one in words])


def test_the_command_reports_and_repeats(
    file: Path, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = ("--site", shop.url, "--key", "clp_a")
    assert call("usage", "report", file, *usual) == 0
    assert "1,007 in 2 reports" in capsys.readouterr().out
    assert call("usage", "report", file, *usual, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["new"], answer["known"], answer["quantity"]) == (0, 2, 1_007)


def test_the_command_takes_site_and_key_from_the_environment(
    file: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("usage", "report", file) == 12
    monkeypatch.setenv("COLOPHON_SITE", shop.url)
    assert call("usage", "report", file) == 12
    monkeypatch.setenv("COLOPHON_API_KEY", "clp_b")
    assert call("usage", "report", file) == 0
    assert shop.keys == ["Bearer clp_b"]


def test_a_dry_run_sends_nothing(
    file: Path, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("usage", "report", file, "--dry-run") == 0
    assert "Nothing was sent" in capsys.readouterr().out
    assert shop.bodies == []


def test_the_command_ends_with_1_for_a_refusal(
    file: Path, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = {
        "code": "usage-conflict",
        "detail": "Event a was reported before.",
        "errors": [{"pointer": "/3/id", "detail": "was used before"}],
    }
    usual = ("--site", shop.url, "--key", "k")
    shop.script = [(409, problem, {}), (409, problem, {})]
    assert call("usage", "report", file, *usual) == 1
    said = capsys.readouterr().err
    assert "409 usage-conflict" in said
    assert "/3/id: was used before" in said
    assert call("usage", "report", file, *usual, "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["code"] == "usage-conflict"
    assert answer["errors"] == [{"pointer": "/3/id", "detail": "was used before"}]
