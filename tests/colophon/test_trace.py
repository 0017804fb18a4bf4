"""A payout leads to the first step, and every broken hop on the way is named."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from colophon import cli, trust
from colophon.authority import Authorities
from colophon.checks import Result
from colophon.digest import canonical
from colophon.errors import InputError
from colophon.hops import Hops
from colophon.statement import sign
from colophon.trace import check_trace
from colophon.trace_file import load_trace
from colophon.trust import Trust, TrustedKey
from tests.colophon.bundles import (
    ASSET,
    Story,
    an_id,
    at,
    authorities,
    key,
    trust_of,
)
from tests.colophon.ledgers import (
    FLAT,
    METERED,
    PAYOUT,
    Json,
    Ledger,
    event,
    ledger,
    named,
)
from tests.colophon.sites import site

Tamper = Callable[[Json], None]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return authorities(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def books(pki: Authorities) -> Json:
    return ledger(pki).trace()


@pytest.fixture(scope="module")
def trusted(pki: Authorities) -> Trust:
    return trust_of(pki)


@pytest.fixture
def told(books: Json) -> Json:
    """A trace that a test may change."""
    return copy.deepcopy(books)


def check(told: Json, trusted: Trust | None) -> Hops:
    return check_trace(load_trace(json.dumps(told)), trusted, as_of=at(300))


def test_a_true_trace_holds_at_every_hop(told: Json, trusted: Trust) -> None:
    hops = check(told, trusted)
    assert [hop.words for hop in hops.wrong] == []
    assert {hop.result for hop in hops.found} == {Result.PASSED}
    assert hops.exit_code == 0
    words = " ".join(hop.words for hop in hops.found)
    assert "2,500 uses in 4 reports" in words
    assert "rest on these 2,500 uses and no others" in words
    assert "has its seal and 3 recorded steps" in words


def test_without_a_trust_file_it_never_passes(told: Json) -> None:
    hops = check(told, None)
    assert hops.wrong == []
    assert hops.exit_code == 10


def test_a_platform_that_you_do_not_know_never_passes(
    told: Json, trusted: Trust
) -> None:
    stranger = replace(trusted, platform_keys=(TrustedKey.of(key("eve").public_spki),))
    assert check(told, stranger).exit_code == 10


def metered(told: Json) -> Any:
    return next(one for one in told["licenses"] if one["id"] == METERED)


def pay_more(told: Json) -> None:
    told["payout"]["units"] = "99000000"


def take_another_settlement(told: Json) -> None:
    told["payout"]["epoch"] = 1


def drop_a_line(told: Json) -> None:
    del told["lines"][1]


def inflate_a_line(told: Json) -> None:
    told["lines"][0]["units"] = str(int(told["lines"][0]["units"]) + 1)


def change_the_leaf(told: Json) -> None:
    told["leaf"]["cumulative_units"] = "1"


def prove_anothers_leaf(told: Json) -> None:
    told["holder"]["position"] = 2


def leave_out_a_license(told: Json) -> None:
    told["licenses"] = [one for one in told["licenses"] if one["id"] != FLAT]


def swap_the_licenses(told: Json) -> None:
    one, two = told["licenses"]
    one["record"], two["record"] = two["record"], one["record"]
    one["log"], two["log"] = two["log"], one["log"]


def change_the_terms_of_the_lines(told: Json) -> None:
    for line in told["lines"]:
        line["increment"]["deposit_units"] = "9000000"


def give_another_agreement(told: Json) -> None:
    changed = json.loads(base64.b64decode(told["licenses"][0]["agreement"]["payload"]))
    changed["predicate"]["version"] = 2
    other = sign(changed, key("ada")).to_json()
    metered(told)["agreement"] = other


def change_the_shares_everywhere(told: Json) -> None:
    for line in told["lines"]:
        line["shares"] = copy.deepcopy(line["shares"])
        line["shares"][0]["ppm"] += 1
        line["shares"][2]["ppm"] -= 1


def drop_an_event(told: Json) -> None:
    del metered(told)["batches"][0]["events"][0]


def change_an_event(told: Json) -> None:
    one = metered(told)["batches"][0]["events"][0]
    body = json.loads(one["body"])
    body["data"]["quantity"] = 100
    one["body"] = canonical(body).decode()


def uncount_an_event(told: Json) -> None:
    metered(told)["batches"][0]["events"][0]["state"] = "quarantined"


def drop_a_batch(told: Json) -> None:
    del metered(told)["batches"][1]


def repeat_a_batch(told: Json) -> None:
    batches = metered(told)["batches"]
    batches.append(copy.deepcopy(batches[0]))


def take_anothers_batch_record(told: Json) -> None:
    first, second = metered(told)["batches"][:2]
    first["record"], second["record"] = second["record"], first["record"]


def claim_an_earlier_checkpoint(told: Json) -> None:
    for line in told["lines"]:
        if line["epoch"] == 1:
            line["log_size"] = 1


def change_a_log_proof(told: Json) -> None:
    place = metered(told)["log"]
    place["salt"] = "00" * 32


def change_the_evidence(told: Json) -> None:
    data = bytearray(base64.b64decode(told["evidence"][ASSET]))
    data[len(data) // 2] ^= 1
    told["evidence"][ASSET] = base64.b64encode(bytes(data)).decode()


def sign_the_settlement_again(told: Json) -> None:
    told["settlement"]["earned_units"] = "5"


TAMPERS: dict[Tamper, str] = {
    pay_more: "payout",
    take_another_settlement: "payout",
    drop_a_line: "sum",
    inflate_a_line: "sum",
    change_the_leaf: "payout",
    prove_anothers_leaf: "leaf",
    leave_out_a_license: "license",
    swap_the_licenses: "license",
    change_the_terms_of_the_lines: "license",
    give_another_agreement: "log",
    change_the_shares_everywhere: "agreement",
    drop_an_event: "uses",
    change_an_event: "uses",
    uncount_an_event: "quantities",
    drop_a_batch: "quantities",
    repeat_a_batch: "uses",
    take_anothers_batch_record: "log",
    claim_an_earlier_checkpoint: "quantities",
    change_a_log_proof: "log",
    change_the_evidence: "work",
    sign_the_settlement_again: "settlement 2",
}


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda one: one.__name__)
def test_every_broken_hop_is_named(tamper: Tamper, told: Json, trusted: Trust) -> None:
    tamper(told)
    hops = check(told, trusted)
    assert hops.exit_code == 1
    assert named(hops)[0] == TAMPERS[tamper]


def test_shares_that_are_not_the_agreements_are_found_though_they_split_alike(
    told: Json, trusted: Trust
) -> None:
    change_the_shares_everywhere(told)
    assert set(named(check(told, trusted))) == {"agreement"}


def test_what_was_erased_is_not_judged_and_not_passed(
    told: Json, trusted: Trust
) -> None:
    told["evidence"][ASSET] = None
    metered(told)["agreement"] = None
    hops = check(told, trusted)
    assert hops.wrong == []
    assert hops.exit_code == 10


def test_evidence_of_another_file_is_not_this_works(
    told: Json, trusted: Trust, pki: Authorities
) -> None:
    from colophon.filematch import FileDigests
    from tests.colophon.bundles import digest

    other = Story(pki, file=FileDigests(digest("other"), digest("pixels"))).tell()
    told["evidence"][ASSET] = base64.b64encode(other.to_bytes()).decode()
    (found,) = check(told, trusted).wrong
    assert "is not the licensed one" in found.words


def test_an_event_outside_of_its_license_must_not_be_counted(
    pki: Authorities, trusted: Trust
) -> None:
    made = ledger(pki)
    told = made.trace()
    early = canonical(event("early", 5, at(-6_000))).decode()
    late = canonical(event("late", 5, at(60 * 24 * 400))).decode()
    for body, why in ((early, "older than the license"), (late, "in the future")):
        changed = copy.deepcopy(told)
        resign(made, changed, body)
        words = [hop.words for hop in check(changed, trusted).wrong]
        assert any(why in one for one in words), words


def resign(made: Ledger, told: Json, body: str) -> None:
    """The platform itself signs a batch with one more event."""
    from colophon import merkle, records

    batch = metered(told)["batches"][0]
    batch["events"].append({"body": body, "state": "counted", "reason": ""})
    leaves = [merkle.leaf_hash(one["body"].encode()) for one in batch["events"]]
    root = merkle.root(leaves)
    said = records.usage(
        batch=batch["id"],
        license_id=METERED,
        root=root,
        count=len(leaves),
        received_at=at(40),
    )
    batch["record"] = sign(said, key("platform")).to_json()
    batch["root"], batch["count"], batch["log"] = root.hex(), len(leaves), None


def test_a_license_may_cover_earlier_uses_by_its_terms(
    pki: Authorities, trusted: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    from colophon.fields import format_time
    from tests.colophon import ledgers

    terms = {**ledgers.TERMS[METERED], "covers_from": format_time(at(-9_000))}
    monkeypatch.setitem(ledgers.TERMS, METERED, terms)
    made = ledger(pki)
    told = made.trace()
    resign(made, told, canonical(event("early", 5, at(-6_000))).decode())
    words = " ".join(hop.words for hop in check(told, trusted).wrong)
    assert "older than" not in words


def test_uses_that_were_left_out_are_listed(told: Json, trusted: Trust) -> None:
    """Not counted and not in the lines: no error, but nobody can overlook it."""
    batch = metered(told)["batches"][2]
    batch["events"][0]["state"] = "quarantined"
    batch["events"][0]["reason"] = "license_revoked"
    hops = check(told, trusted)
    details = [line for hop in hops.found for line in hop.detail]
    assert any("was not counted: license_revoked" in one for one in details)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], "https://colophon.example/trace/v9"),
        (["payout", "id"], "x"),
        (["leaf", "proof"], ["00"]),
        (["licenses", 0, "record", "payload"], "!"),
        (["licenses", 0, "log", "proof"], "nonsense"),
        (["licenses", 0, "batches"], 3),
        (["evidence", ASSET], "!"),
    ],
)
def test_a_malformed_trace_is_refused(told: Json, path: list[Any], value: Any) -> None:
    place: Any = told
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(InputError):
        load_trace(json.dumps(told))


# --- the command


@pytest.fixture
def desk(
    told: Json, trusted: Trust, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("COLOPHON_HOME", str(tmp_path / "home"))
    for name in ("COLOPHON_API_KEY", "COLOPHON_SITE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "t.json").write_text(json.dumps(told), encoding="utf-8")
    trust.save(trusted, tmp_path / "trust.json")
    return tmp_path


def call(*words: object) -> int:
    return cli.main([str(one) for one in words])


def test_the_command_walks_a_file(
    desk: Path, told: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = ("--trust", desk / "trust.json")
    assert call("trace", desk / "t.json", *usual) == 0
    out = capsys.readouterr().out
    assert "Every hop holds, from the payment to the first step." in out
    assert call("trace", desk / "t.json") == 10
    inflate_a_line(told)
    (desk / "bad.json").write_text(json.dumps(told), encoding="utf-8")
    assert call("trace", desk / "bad.json", *usual) == 1
    assert call("trace", desk / "gone.json", *usual) == 12


def test_the_command_fetches_a_payout_and_keeps_it(
    desk: Path,
    told: Json,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = ("--trust", desk / "trust.json", "--json")
    assert call("trace", PAYOUT, *usual) == 12
    assert "--site" in capsys.readouterr().err
    with site() as shop:
        path = f"/api/v1/payouts/{PAYOUT}/trace"
        assert call("trace", PAYOUT, "--site", shop.url, *usual) == 12
        assert "COLOPHON_API_KEY" in capsys.readouterr().err
        monkeypatch.setenv("COLOPHON_API_KEY", "clp_a_b")
        assert call("trace", PAYOUT, "--site", shop.url, *usual) == 11
        shop.pages[path] = json.dumps(told).encode()
        capsys.readouterr()
        kept = desk / "kept.json"
        assert call("trace", PAYOUT, "--site", shop.url, "-o", kept, *usual) == 0
        answer = json.loads(capsys.readouterr().out)
        assert (answer["holds"], answer["payout"]) == (True, PAYOUT)
        assert load_trace(kept.read_bytes()).payout.id == PAYOUT
        shop.status[path] = 302
        assert call("trace", PAYOUT, "--site", shop.url, *usual) == 11
    assert call("trace", an_id("pay", 1), "--site", "ftp://x", *usual) == 12
