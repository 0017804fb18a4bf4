"""A statement holds by itself, and every way to cheat in it is named."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from colophon import cli, trust
from colophon.authority import Authorities
from colophon.errors import InputError
from colophon.hops import Hops
from colophon.lines import wrong_prices
from colophon.records import parse_settlement, settlement
from colophon.statement import Envelope, read_statement, sign
from colophon.statement_check import check_statement
from colophon.statement_file import load_statement
from colophon.trust import Trust, TrustedKey
from tests.colophon.bundles import authorities, key, trust_of
from tests.colophon.ledgers import FLAT, Json, Ledger, ledger, named

Tamper = Callable[[Json], None]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return authorities(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def books(pki: Authorities) -> Ledger:
    return ledger(pki)


@pytest.fixture(scope="module")
def trusted(pki: Authorities) -> Trust:
    return trust_of(pki)


@pytest.fixture
def said(books: Ledger) -> Json:
    """A statement that a test may change."""
    return copy.deepcopy(books.statement())


def check(said: Json, trusted: Trust | None) -> Hops:
    return check_statement(load_statement(json.dumps(said)), trusted)


def test_a_true_statement_holds(said: Json, trusted: Trust) -> None:
    hops = check(said, trusted)
    assert [hop.words for hop in hops.wrong] == []
    assert hops.exit_code == 0
    words = " ".join(hop.words for hop in hops.found)
    assert "3 lines are split as their licenses say." in words
    assert "2,500 uses are charged at the agreed rates." in words


def test_without_a_trust_file_it_is_consistent_and_never_passes(said: Json) -> None:
    hops = check(said, None)
    assert hops.exit_code == 10
    assert hops.wrong == []
    assert "signed by nobody that you trust" in " ".join(h.words for h in hops.found)


def test_a_platform_that_you_do_not_know_never_passes(
    said: Json, trusted: Trust
) -> None:
    stranger = replace(trusted, platform_keys=(TrustedKey.of(key("eve").public_spki),))
    assert check(said, stranger).exit_code == 10


def line(said: Json, epoch: int = 1, at: int = 0) -> Any:
    return said["settlements"][epoch - 1]["lines"][at]


def drop_a_line(said: Json) -> None:
    del said["settlements"][1]["lines"][1]


def drop_a_metered_line(said: Json) -> None:
    del said["settlements"][0]["lines"][0]


def drop_a_settlement(said: Json) -> None:
    del said["settlements"][0]


def repeat_a_line(said: Json) -> None:
    said["settlements"][1]["lines"].append(copy.deepcopy(line(said, 2, 1)))


def inflate_a_line(said: Json) -> None:
    line(said)["units"] = str(int(line(said)["units"]) + 1)


def inflate_a_fee(said: Json) -> None:
    one = line(said, 2, 1)
    one["increment"]["fee_units"] = "45000000"
    one["units"] = "9000000"


def inflate_a_usage(said: Json) -> None:
    one = line(said)
    one["increment"]["usage_units"] = str(int(one["increment"]["usage_units"]) + 10)
    one["units"] = str(int(one["units"]) + 2)


def inflate_a_quantity(said: Json) -> None:
    line(said)["increment"]["quantity"] += 1_000


def raise_the_rate_later(said: Json) -> None:
    line(said, 2)["increment"]["rate_units"] = "700000"


def raise_the_share(said: Json) -> None:
    one = line(said)
    one["shares"] = copy.deepcopy(one["shares"])
    one["shares"][1]["ppm"] += 1
    one["shares"][2]["ppm"] -= 1


def give_shares_that_are_too_much(said: Json) -> None:
    one = line(said)
    one["shares"] = copy.deepcopy(one["shares"])
    one["shares"][1]["ppm"] += 1


def take_anothers_place(said: Json) -> None:
    line(said)["position"] = 2


def charge_the_fee_twice(said: Json) -> None:
    one = line(said, 2)
    one["increment"]["fee_units"] = "2000003"


def change_the_leaf(said: Json) -> None:
    said["settlements"][1]["leaf"]["cumulative_units"] = "99000000"


def change_the_proof(said: Json) -> None:
    said["settlements"][1]["leaf"]["proof"][0] = "00" * 32


def change_the_account(said: Json) -> None:
    said["settlements"][1]["leaf"]["account"] = "0x" + "ee" * 20


def take_anothers_leaf(said: Json) -> None:
    said["holder"]["position"] = 2


def leave_out_the_leaf(said: Json) -> None:
    said["settlements"][0]["leaf"] = None


def change_a_root(said: Json) -> None:
    said["settlements"][1]["earnings_root"] = "11" * 32


def change_the_total(said: Json) -> None:
    said["settlements"][1]["earned_units"] = "1"


def swap_the_records(said: Json) -> None:
    first, second = said["settlements"]
    first["record"], second["record"] = second["record"], first["record"]


def break_a_signature(said: Json) -> None:
    found = said["settlements"][0]["record"]["signatures"][0]
    found["sig"] = ("A" if found["sig"][0] != "A" else "B") + found["sig"][1:]


def say_that_less_was_paid(said: Json) -> None:
    said["figures"]["paid"] = "0"


def say_that_more_was_earned(said: Json) -> None:
    said["figures"]["lifetime"] = str(int(said["figures"]["lifetime"]) + 1)


def pay_more_than_was_earned(said: Json) -> None:
    said["payouts"][0]["units"] = "99000000"


TAMPERS: dict[Tamper, str] = {
    drop_a_line: "sum 2",
    drop_a_metered_line: "price",
    drop_a_settlement: "price",
    repeat_a_line: "price",
    inflate_a_line: "split",
    inflate_a_fee: "sum 2",
    inflate_a_usage: "price",
    inflate_a_quantity: "price",
    raise_the_rate_later: "price",
    raise_the_share: "split",
    give_shares_that_are_too_much: "split",
    take_anothers_place: "split",
    charge_the_fee_twice: "split",
    change_the_leaf: "leaf 2",
    change_the_proof: "leaf 2",
    change_the_account: "leaf 2",
    take_anothers_leaf: "sum 1",
    leave_out_the_leaf: "leaf 1",
    change_a_root: "settlement 2",
    change_the_total: "settlement 2",
    swap_the_records: "settlement 1",
    break_a_signature: "settlement 1",
    say_that_less_was_paid: "figures",
    say_that_more_was_earned: "figures",
    pay_more_than_was_earned: "payouts",
}


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda one: one.__name__)
def test_every_way_to_cheat_is_found_and_named(
    tamper: Tamper, said: Json, trusted: Trust
) -> None:
    tamper(said)
    hops = check(said, trusted)
    assert hops.exit_code == 1
    assert named(hops)[0] == TAMPERS[tamper]


def test_a_dropped_line_is_told_with_its_amount(said: Json, trusted: Trust) -> None:
    drop_a_line(said)
    (found,) = [hop for hop in check(said, trusted).wrong if hop.id == "sum 2"]
    assert found.words.startswith("8.00 missing from the lines up to settlement 2")


def test_an_inflated_line_is_told_with_its_license(said: Json, trusted: Trust) -> None:
    line(said, 2, 1)["units"] = "8000001"
    (found,) = [hop for hop in check(said, trusted).wrong if hop.id == "split"]
    assert FLAT in found.words
    assert "20.00% of 40.00 is 8.00, the line says 8.000001" in found.words


def test_a_thief_who_signs_a_whole_new_ledger_is_unknown(
    said: Json, trusted: Trust
) -> None:
    for part in said["settlements"]:
        envelope = Envelope.from_json(part["record"])
        told = parse_settlement(read_statement(envelope.payload))
        part["record"] = sign(settlement(**vars(told)), key("eve")).to_json()
    assert check(said, trusted).exit_code == 10


def test_the_price_is_that_of_the_running_total_up_to_the_deposit(
    said: Json,
) -> None:
    lines = load_statement(json.dumps(said)).lines
    metered = [one for one in lines if one.rate_units]
    assert wrong_prices(metered) == []
    capped = [replace(one, deposit_units=900_000) for one in metered]
    assert [one.epoch for one, _ in wrong_prices(capped)] == [1, 2]
    full = replace(metered[0], usage_units=900_000, deposit_units=900_000)
    rest = replace(metered[1], usage_units=0, deposit_units=900_000)
    assert wrong_prices([full, rest]) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], "https://colophon.example/statement/v2"),
        (["holder", "id"], "mia"),
        (["settlements", 0, "epoch"], "1"),
        (["settlements", 0, "earnings_root"], "zz"),
        (["settlements", 0, "lines", 0, "units"], 5),
        (["settlements", 0, "lines", 0, "units"], "-5"),
        (["settlements", 0, "lines", 0, "units"], "05"),
        (["settlements", 0, "lines", 0, "units"], "9" * 40),
        (["settlements", 0, "lines", 0, "increment", "rate_per"], 0),
        (["settlements", 0, "leaf", "account"], "0x12"),
        (["payouts", 0, "state"], "gone"),
    ],
)
def test_a_malformed_statement_is_refused_by_its_field(
    said: Json, path: list[Any], value: Any
) -> None:
    place: Any = said
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(InputError) as caught:
        load_statement(json.dumps(said))
    assert str(path[-1]) in caught.value.field


# --- the command


@pytest.fixture
def desk(
    said: Json, trusted: Trust, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("COLOPHON_HOME", str(tmp_path / "home"))
    (tmp_path / "s.json").write_text(json.dumps(said), encoding="utf-8")
    trust.save(trusted, tmp_path / "trust.json")
    return tmp_path


def call(*words: object) -> int:
    return cli.main([str(one) for one in words])


def test_the_command_ends_with_0_1_10_and_12(
    desk: Path, said: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = ("--trust", desk / "trust.json")
    assert call("statement", "check", desk / "s.json", *usual) == 0
    assert "The statement holds" in capsys.readouterr().out
    assert call("statement", "check", desk / "s.json") == 10
    assert "not everything could be judged" in capsys.readouterr().out
    drop_a_line(said)
    (desk / "bad.json").write_text(json.dumps(said), encoding="utf-8")
    assert call("statement", "check", desk / "bad.json", *usual) == 1
    assert "It does not hold: 8.00 missing" in capsys.readouterr().out
    (desk / "no.json").write_text("{", encoding="utf-8")
    assert call("statement", "check", desk / "no.json", *usual) == 12
    assert call("statement", "check", desk / "gone.json", *usual) == 12


def test_the_command_answers_in_json(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = call(
        "statement", "check", desk / "s.json", "--trust", desk / "trust.json", "--json"
    )
    answer = json.loads(capsys.readouterr().out)
    assert code == answer["exit"] == 0
    assert (answer["v"], answer["holds"], answer["lines"]) == (1, True, 3)
    assert {one["result"] for one in answer["checks"]} == {"passed"}
