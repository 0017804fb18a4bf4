"""Every record kind: what is missing, added or out of bounds is refused by name."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from colophon import records
from colophon.digest import sha256
from colophon.errors import InputError
from colophon.records import Part
from colophon.records.agreements import acceptance_typed_data
from colophon.records.sales import terms_digest
from tests.colophon.examples import ADA, ASSET, FILE, MIA, NOON, an_id, statements

EXAMPLES = {kind: said for kind, (said, _) in statements().items()}


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of every member of a statement."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


def holder_of(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path[:-1]:
        value = value[key]
    return value


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_an_unknown_field_is_refused(kind: str) -> None:
    broken = copy.deepcopy(EXAMPLES[kind])
    if kind == "verdict":
        broken["predicate"]["later"] = 1
        assert records.parse(broken)
        return
    broken["predicate"]["email"] = "ada@example.org"
    with pytest.raises(InputError) as caught:
        records.PARSERS[kind](broken)
    assert caught.value.field == "predicate/email"


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_a_record_of_one_kind_is_never_read_as_another(kind: str) -> None:
    for other, parse in records.PARSERS.items():
        if other != kind:
            with pytest.raises(InputError) as caught:
                parse(EXAMPLES[kind])
            assert caught.value.field == "predicateType"


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_no_hostile_value_breaks_a_parser(kind: str) -> None:
    for path in places(EXAMPLES[kind]):
        for value in (None, True, -1, 2**60, "", "x", "a\0b", [], [[]], {}, {"": 0}):
            broken = copy.deepcopy(EXAMPLES[kind])
            holder_of(broken, path)[path[-1]] = value
            try:
                records.parse(broken)
            except InputError:
                continue


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_a_number_or_list_in_place_of_a_field_is_refused(kind: str) -> None:
    for path in places(EXAMPLES[kind]):
        if any(name in path for name in ("terms", "policy")):
            continue
        for value in (2**60, [[]]):
            broken = copy.deepcopy(EXAMPLES[kind])
            holder_of(broken, path)[path[-1]] = value
            with pytest.raises(InputError) as caught:
                records.parse(broken)
            assert caught.value.field


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_a_missing_field_is_refused_or_read_as_absent(kind: str) -> None:
    whole = records.parse(EXAMPLES[kind])
    for path in places(EXAMPLES[kind]):
        broken = copy.deepcopy(EXAMPLES[kind])
        del holder_of(broken, path)[path[-1]]
        try:
            assert records.parse(broken) != whole, path
        except InputError as error:
            assert error.field  # noqa: PT017


def test_an_unknown_type_is_refused() -> None:
    broken = EXAMPLES["seal"] | {"predicateType": "https://slsa.dev/provenance/v1"}
    with pytest.raises(InputError) as caught:
        records.parse(broken)
    assert caught.value.field == "predicateType"


def test_records_about_no_file_name_their_own_digest() -> None:
    for kind in ("ticket", "settlement", "checkpoint-key"):
        broken = copy.deepcopy(EXAMPLES[kind])
        broken["subject"][0]["digest"]["sha256"] = "ab" * 32
        with pytest.raises(InputError) as caught:
            records.parse(broken)
        assert caught.value.field == "subject/0/digest/sha256"


def test_a_record_is_about_one_thing() -> None:
    for kind in ("seal", "source", "agreement", "verdict", "license"):
        broken = copy.deepcopy(EXAMPLES[kind])
        broken["subject"] *= 2
        with pytest.raises(InputError) as caught:
            records.parse(broken)
        assert caught.value.field == "subject"


def agree(*parts: Part, fee_ppm: int = 50_000) -> dict[str, Any]:
    return records.agreement(
        agreement_id=an_id("agr"),
        asset=ASSET,
        file=FILE,
        version=1,
        fee_ppm=fee_ppm,
        parts=parts,
        proposed_at=NOON,
    )


def test_the_parts_of_an_agreement_are_a_whole() -> None:
    platform = Part(an_id("hol", 9), "platform", 50_000)
    creator = Part(an_id("hol", 1), "creator", 950_000)
    found = records.parse_agreement(agree(platform, creator))
    assert sum(one.ppm for one in found.parts) == 1_000_000
    for parts, fee in (
        ((platform,), 50_000),
        ((platform, creator, creator), 50_000),
        ((platform, creator), 40_000),
        ((creator, Part(an_id("hol", 2), "creator", 50_000)), 50_000),
        ((), 50_000),
    ):
        with pytest.raises(InputError) as caught:
            agree(*parts, fee_ppm=fee)
        assert caught.value.field == "predicate/parts"


def test_a_sources_part_names_the_source_and_only_that() -> None:
    platform = Part(an_id("hol", 9), "platform", 50_000)
    for part in (
        Part(an_id("hol", 2), "source", 950_000),
        Part(an_id("hol", 2), "creator", 950_000, an_id("src")),
    ):
        with pytest.raises(InputError) as caught:
            agree(platform, part)
        assert caught.value.field == "predicate/parts/1/source"


def test_an_unclaimed_part_is_reserved() -> None:
    platform = Part(an_id("hol", 9), "platform", 50_000)
    held = Part(an_id("hol", 2), "source", 950_000, an_id("src"), reserved=True)
    assert records.parse_agreement(agree(platform, held)).parts[1] == held


@pytest.mark.parametrize(
    ("method", "given_", "field"),
    [
        ("account-key", {"wallet": "0x" + "ab" * 20}, "predicate/wallet"),
        ("account-key", {"source": sha256(b"s")}, "predicate/source"),
        ("standing-ask", {}, "predicate/source"),
        ("eip712", {}, "predicate/wallet"),
        ("eip712", {"wallet": "0x" + "AB" * 20}, "predicate/wallet"),
        ("eip712", {"wallet": "0x" + "ab" * 20}, "predicate/chain_id"),
        (
            "eip712",
            {"wallet": "0x" + "ab" * 20, "chain_id": 1, "signature": b"short"},
            "predicate/signature",
        ),
        ("handshake", {}, "predicate/method"),
    ],
)
def test_an_acceptance_carries_what_its_method_needs(
    method: str, given_: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        records.acceptance(
            agreement_digest=FILE,
            holder=an_id("hol"),
            method=method,
            accepted_at=NOON,
            **given_,
        )
    assert caught.value.field == field


def test_a_wallet_accepts_by_eip_712() -> None:
    account = Account.from_key(b"\1" * 32)
    wallet = account.address.lower()
    typed = acceptance_typed_data(
        agreement_digest=FILE, holder=an_id("hol"), wallet=wallet, chain_id=31_337
    )
    signature = account.sign_typed_data(full_message=typed).signature
    found = records.parse_acceptance(
        records.acceptance(
            agreement_digest=FILE,
            holder=an_id("hol"),
            method="eip712",
            accepted_at=NOON,
            wallet=wallet,
            chain_id=31_337,
            signature=bytes(signature),
        )
    )
    asked = acceptance_typed_data(
        agreement_digest=found.agreement,
        holder=found.holder,
        wallet=str(found.wallet),
        chain_id=int(found.chain_id or 0),
    )
    signer = Account.recover_message(
        encode_typed_data(full_message=asked), signature=found.signature
    )
    assert signer.lower() == wallet


def test_only_an_owner_sets_an_ask() -> None:
    ask = {
        "source_id": an_id("src"),
        "kind": "dataset",
        "name": "Coast",
        "digest": FILE,
        "ask_ppm": 10_000,
    }
    assert records.parse_source(records.source(**ask, owner=MIA)).ask_ppm == 10_000
    with pytest.raises(InputError) as caught:
        records.source(**ask)
    assert caught.value.field == "predicate/ask_ppm"


@pytest.mark.parametrize(
    ("training", "field"),
    [
        ({"cawg.dreams": "allowed"}, "predicate/training/cawg.dreams"),
        ({"cawg.ai_training": "yes"}, "predicate/training/cawg.ai_training"),
    ],
)
def test_training_permission_uses_known_words(
    training: dict[str, str], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        records.source(
            source_id=an_id("src"),
            kind="model",
            name="M",
            digest=FILE,
            training=training,
        )
    assert caught.value.field == field


def test_a_first_ticket_has_no_checkpoint() -> None:
    made = records.ticket(
        run=an_id("run"), nonce=FILE, checkpoint=None, issued_at=NOON, party=ADA
    )
    assert records.parse_ticket(made).checkpoint is None


@pytest.mark.parametrize(
    ("algorithm", "size"), [("sha256", 32), ("sha384", 48), ("sha512", 64)]
)
def test_a_hard_binding_has_the_size_of_its_algorithm(
    algorithm: str, size: int
) -> None:
    def seal_with(binding: tuple[str, bytes]) -> dict[str, Any]:
        return records.seal(
            asset=ASSET,
            file=FILE,
            uploaded=FILE,
            hard_binding=binding,
            claim_signature=FILE,
            manifest="urn:c2pa:x",
            registrant=ADA,
            title="T",
            sealed_at=NOON,
        )

    found = records.parse_seal(seal_with((algorithm, bytes(size))))
    assert found.hard_binding == (algorithm, bytes(size))
    assert (found.pixels, found.steps, found.identities) == (None, (), ())
    for wrong in ((algorithm, bytes(size - 1)), ("md5", bytes(16))):
        with pytest.raises(InputError):
            seal_with(wrong)


def test_an_examination_says_when_it_compared_nothing() -> None:
    made = records.examination(
        asset=ASSET,
        file=FILE,
        examined_at=NOON,
        methods=["iscc"],
        earlier_look_alikes=2,
    )
    found = records.parse_examination(made)
    assert (found.changes_examined, found.earlier_look_alikes) == (False, 2)
    assert records.parse_examination(EXAMPLES["examination"]).changes_examined


def test_a_policy_statement_is_about_its_own_data() -> None:
    made = records.policy({"v": 1, "id": "2026-11"})
    assert records.parse_policy(made)["id"] == "2026-11"
    made["predicate"]["policy"]["v"] = 2
    with pytest.raises(InputError) as caught:
        records.parse_policy(made)
    assert caught.value.field == "subject/0/digest/sha256"


def test_the_terms_of_a_license_are_bounded() -> None:
    terms = {"text": "x" * 20_000}
    with pytest.raises(InputError) as caught:
        records.license_issued(
            license_id=an_id("lic"),
            asset=ASSET,
            file=FILE,
            agreement=FILE,
            terms=terms,
            amount_units=1,
            buyer=ADA,
            issued_at=NOON,
        )
    assert caught.value.field == "predicate/terms"
    assert terms_digest({"b": 1, "a": 2}) == sha256(b'{"a":2,"b":1}')


def test_money_in_a_record_is_a_whole_number_of_units() -> None:
    for amount in (-1, 2**53, True):
        broken = copy.deepcopy(EXAMPLES["license"])
        broken["predicate"]["amount_units"] = amount
        with pytest.raises(InputError) as caught:
            records.parse(broken)
        assert caught.value.field == "predicate/amount_units"


def test_a_verdict_reads_back_whole() -> None:
    found = records.parse_verdict(EXAMPLES["verdict"])
    assert found.levels == ("COLOPHON_E3", "COLOPHON_O_AI", "COLOPHON_R2")
    assert found.criteria == (("e1.file", True), ("e4.corroborated", False))
    assert (found.passed, found.standing) == (True, "active")
    assert found.expires_at == datetime(2026, 2, 7, 12, tzinfo=UTC)
