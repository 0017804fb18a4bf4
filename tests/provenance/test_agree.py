"""Agreements: a new version for each change, and R2 only when everyone said yes."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.keys import account_key
from accounts.models import Holder, User
from accounts.platform import platform_holder, platform_signer
from colophon import statement
from colophon.records import parse_acceptance, parse_agreement
from log.models import Entry
from marketplace.publish import publish_listing
from outbox.models import Job
from provenance import license_terms
from provenance.agree import accept_agreement, propose_agreement
from provenance.envelopes import envelope_of
from provenance.errors import AgreementError, NotReadyError
from provenance.models import Agreement, Asset, Source
from provenance.shares import Part, default_parts
from tests import factories
from tests.cast import party_of
from tests.loop import failed, judge
from tests.provenance.test_shares import work_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
FEE = 50_000


def agreed(asset: Asset, *extra: Part) -> Agreement:
    """The fee and these parts; the rest is the maker's."""
    given = [Part(platform_holder(), "platform", FEE), *extra]
    rest = 1_000_000 - sum(part.ppm for part in given)
    parts = [*given, Part(asset.party.holder, "creator", rest)]
    return propose_agreement(asset=asset, parts=parts, by=asset.party)


def methods(agreement: Agreement) -> dict[str, str]:
    rows = agreement.acceptances.select_related("holder")
    return {row.holder.name: row.method for row in rows}


def rights(asset: Asset) -> tuple[int, set[str]]:
    """The level of axis R that the evidence gives, and what fails."""
    verdict = judge(asset)
    return verdict.rights_level, set(failed(verdict, "R"))


def test_the_maker_alone_reaches_r2_at_once(ada: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    agreement = factories.agreed(asset)
    assert (agreement.version, agreement.fee_ppm) == (1, FEE)
    assert methods(agreement) == {"Colophon": "account-key", "Ada": "account-key"}
    key = account_key(party_of(ada))
    said = parse_agreement(
        statement.verify(envelope_of(agreement.entry), bytes(key.spki))
    )
    assert (said.asset, said.version) == (asset.code, 1)
    assert said.terms == license_terms.DIGEST
    assert [one.ppm for one in said.parts] == [FEE, 1_000_000 - FEE]
    assert rights(asset) == (2, set())


def test_without_an_agreement_there_is_r0(ada: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    level, missing = rights(asset)
    assert level == 0
    assert "r1.terms" in missing


def test_a_met_standing_ask_accepts_by_itself(ada: User, mia: User) -> None:
    source = factories.model_of(party_of(mia))
    asset = work_with(ada, source)
    agreement = factories.agreed(asset)
    assert methods(agreement)["Mia"] == "standing-ask"
    row = agreement.acceptances.get(holder=source.holder)
    said = parse_acceptance(
        statement.verify(envelope_of(row.entry), platform_signer().public_spki)
    )
    assert said.source == envelope_of(source.entry).digest
    assert said.agreement == bytes(agreement.digest)
    assert rights(asset) == (2, set())


def test_a_source_without_an_ask_is_waited_for(ada: User, mia: User) -> None:
    source = factories.model_of(party_of(mia), ask_ppm=None)
    asset = work_with(ada, source)
    agreement = factories.agreed(asset)
    assert "Mia" not in methods(agreement)
    assert rights(asset) == (1, {"r2.accepted"})
    accept_agreement(agreement=agreement, party=party_of(mia))
    assert rights(asset) == (2, set())


def test_an_agreement_under_an_ask_does_not_accept_for_its_owner(
    ada: User, mia: User
) -> None:
    """`parse_parts` refuses it; whoever gets past it gains nothing."""
    source = factories.model_of(party_of(mia))
    asset = work_with(ada, source)
    agreement = agreed(asset, Part(source.holder, "source", 119_999, source))
    assert "Mia" not in methods(agreement)
    assert rights(asset) == (1, {"r2.accepted"})


def test_two_sources_of_one_owner_are_accepted_by_their_asks(
    ada: User, mia: User
) -> None:
    model = factories.model_of(party_of(mia))
    data = factories.model_of(
        party_of(mia), "Tide tables", kind="dataset", ask_ppm=30_000
    )
    asset = work_with(ada, model, data)
    agreement = factories.agreed(asset)
    assert agreement.acceptances.filter(holder=model.holder).count() == 1
    assert rights(asset) == (2, set())


def test_one_ask_does_not_cover_a_source_without_one(ada: User, mia: User) -> None:
    model = factories.model_of(party_of(mia))
    data = factories.model_of(party_of(mia), "Tides", kind="dataset", ask_ppm=None)
    asset = work_with(ada, model, data)
    agreement = factories.agreed(asset)
    assert "Mia" not in methods(agreement)
    assert rights(asset)[0] == 1
    accept_agreement(agreement=agreement, party=party_of(mia))
    assert rights(asset) == (2, set())


def test_an_ask_does_not_cover_a_part_as_creator(ada: User, mia: User) -> None:
    source = factories.model_of(party_of(mia))
    asset = work_with(ada, source)
    agreement = agreed(
        asset,
        Part(source.holder, "source", 120_000, source),
        Part(source.holder, "creator", 10_000),
    )
    assert "Mia" not in methods(agreement)
    assert rights(asset)[0] == 1
    accept_agreement(agreement=agreement, party=party_of(mia))
    assert rights(asset) == (2, set())


def test_an_owner_who_has_not_come_forward_keeps_it_at_r1(ada: User, eve: User) -> None:
    source = factories.model_of(
        party_of(eve), own=False, owner_name="A museum", ask_ppm=None
    )
    asset = work_with(ada, source)
    agreement = agreed(asset, Part(source.holder, "source", 70_000, source))
    said = parse_agreement(
        statement.read_statement(envelope_of(agreement.entry).payload)
    )
    assert [one.reserved for one in said.parts] == [False, True, False]
    assert rights(asset) == (1, {"r2.claimed"})


def test_giving_an_absent_owner_nothing_does_not_help(ada: User, eve: User) -> None:
    source = factories.model_of(
        party_of(eve), own=False, owner_name="A museum", ask_ppm=None
    )
    asset = work_with(ada, source)
    factories.agreed(asset)  # no ask: 0 ppm
    assert rights(asset)[0] == 1


def test_a_stranger_named_as_creator_is_reserved_too(ada: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    agreed(asset, Part(Holder.objects.create(name="Somebody"), "creator", 100_000))
    assert rights(asset) == (1, {"r2.claimed"})


def test_r2_comes_when_the_last_one_accepted(ada: User, ben: User, dan: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    agreement = agreed(
        asset,
        Part(party_of(ben).holder, "creator", 200_000),
        Part(party_of(dan).holder, "creator", 100_000),
    )
    assert rights(asset) == (1, {"r2.accepted"})
    accept_agreement(agreement=agreement, party=party_of(ben))
    assert rights(asset) == (1, {"r2.accepted"})
    accept_agreement(agreement=agreement, party=party_of(dan))
    assert rights(asset) == (2, set())


def test_accepting_twice_is_once_and_asks_for_one_verdict(ada: User, ben: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    agreement = agreed(asset, Part(party_of(ben).holder, "creator", 1))
    first = accept_agreement(agreement=agreement, party=party_of(ben))
    entries = Entry.objects.count()
    assert accept_agreement(agreement=agreement, party=party_of(ben)) == first
    assert Entry.objects.count() == entries
    assert Job.objects.filter(key__contains=":accepted:").count() == 1
    key = account_key(party_of(ben))
    said = parse_acceptance(statement.verify(envelope_of(first.entry), bytes(key.spki)))
    assert (said.holder, said.method) == (party_of(ben).holder.code, "account-key")


def test_two_clicks_at_once_accept_once(
    ada: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other request commits between our look and our write."""
    asset = factories.sealed_asset(party_of(ada))
    agreement = agreed(asset, Part(party_of(ben).holder, "creator", 1))
    first = accept_agreement(agreement=agreement, party=party_of(ben))
    rows = type(agreement.acceptances.all())
    with monkeypatch.context() as patch:
        patch.setattr(rows, "first", lambda _: None)
        assert accept_agreement(agreement=agreement, party=party_of(ben)) == first
    assert agreement.acceptances.filter(holder=party_of(ben).holder).count() == 1


def test_who_has_no_part_has_nothing_to_accept(ada: User, eve: User) -> None:
    agreement = factories.agreed(factories.sealed_asset(party_of(ada)))
    with pytest.raises(AgreementError, match="no part"):
        accept_agreement(agreement=agreement, party=party_of(eve))


def test_a_wrong_sum_writes_nothing(ada: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    entries = Entry.objects.count()
    for ppm in (949_999, 950_001, 0):
        parts = [
            Part(platform_holder(), "platform", FEE),
            Part(asset.party.holder, "creator", ppm),
        ]
        with pytest.raises(AgreementError, match="expected 1000000"):
            propose_agreement(asset=asset, parts=parts, by=asset.party)
    with pytest.raises(AgreementError, match="names no creator"):
        propose_agreement(
            asset=asset,
            parts=[Part(platform_holder(), "platform", 1_000_000)],
            by=asset.party,
        )
    assert (Agreement.objects.count(), Entry.objects.count()) == (0, entries)


def test_before_the_seal_there_is_nothing_to_agree_on(ada: User) -> None:
    asset = factories.examined_asset(party_of(ada))
    with pytest.raises(NotReadyError):
        propose_agreement(asset=asset, parts=default_parts(asset), by=asset.party)


def test_a_new_version_leaves_orders_and_licenses_alone(
    ada: User, ben: User, settings: Any
) -> None:
    asset = factories.sealed_asset(party_of(ada))
    first = factories.agreed(asset)
    publish_listing(asset=asset, plans=list(factories.OFFERS))
    row = factories.licensed(asset, party_of(ben))
    shares = row.shares
    settings.PLATFORM_FEE_PPM = 300_000
    second = factories.agreed(asset)
    assert (first.version, second.version) == (1, 2)
    assert (first.fee_ppm, second.fee_ppm) == (FEE, 300_000)
    row.refresh_from_db()
    assert (row.agreement, row.shares) == (first, shares)
    first.refresh_from_db()
    assert first.fee_ppm == FEE
    assert list(first.parts.values_list("ppm", flat=True)) == [FEE, 950_000]


def test_the_newest_version_counts(ada: User, ben: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    factories.agreed(asset)
    assert rights(asset) == (2, set())
    agreed(asset, Part(party_of(ben).holder, "creator", 1))
    assert rights(asset) == (1, {"r2.accepted"})


def test_each_version_asks_for_a_verdict(ada: User, mia: User) -> None:
    source: Source = factories.model_of(party_of(mia))
    asset = work_with(ada, source)
    factories.agreed(asset)
    factories.agreed(asset)
    keys = Job.objects.filter(kind="asset.judge").values_list("key", flat=True)
    assert {f"judge:{asset.code}:agreement:{n}" for n in (1, 2)} <= set(keys)
