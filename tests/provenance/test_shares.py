"""Parts of an agreement: exact sums, asks never undercut, and everyone named is in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from accounts.platform import platform_holder
from colophon.acts import Input, Model
from colophon.errors import InputError
from provenance.errors import AgreementError
from provenance.models import Asset, Source
from provenance.record import append_step
from provenance.shares import (
    PPM,
    Part,
    check_sum,
    default_parts,
    parse_parts,
    used_sources,
)
from provenance.ticket import open_run
from tests import factories
from tests.cast import party_of
from tests.provenance.test_record import enrolled, written

pytestmark = pytest.mark.django_db
FEE = 50_000


def work_with(user: User, *sources: Source, **fields: Any) -> Asset:
    """A sealed work whose one step names these sources."""
    party, key = party_of(user), enrolled(user)
    run = open_run(party=party, name="run")
    models = [one for one in sources if one.kind == "model"]
    inputs = [Input(one.name, bytes(one.digest), "inputTo") for one in sources]
    model = Model(bytes(models[0].digest)) if models else None
    step, _ = written(run, key, inputs=inputs, model=model)
    append_step(run=run, envelope=step, party=party)
    return factories.sealed_asset(party, run=run, **fields)


@pytest.fixture
def model(mia: User) -> Source:
    return factories.model_of(party_of(mia))


@pytest.fixture
def dataset(dan: User) -> Source:
    return factories.model_of(
        party_of(dan), "Norsk Kyst", kind="dataset", ask_ppm=80_000
    )


def told(parts: list[Part]) -> list[tuple[str, str, int]]:
    return [(one.role, one.holder.name, one.ppm) for one in parts]


def test_without_sources_the_creator_gets_all_but_the_fee(ada: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    assert told(default_parts(asset)) == [
        ("platform", "Colophon", FEE),
        ("creator", "Ada", PPM - FEE),
    ]


def test_each_source_gets_its_ask_and_so_does_what_the_model_was_trained_on(
    ada: User, mia: User, model: Source, dataset: Source
) -> None:
    model.trained_on.add(dataset)
    asset = work_with(ada, model)
    assert used_sources(asset) == sorted([model, dataset], key=lambda one: one.code)
    assert sorted(told(default_parts(asset))) == [
        ("creator", "Ada", PPM - FEE - 200_000),
        ("platform", "Colophon", FEE),
        ("source", "Dan", 80_000),
        ("source", "Mia", 120_000),
    ]


def test_a_source_named_twice_is_paid_once(
    ada: User, model: Source, dataset: Source
) -> None:
    model.trained_on.add(dataset)
    asset = work_with(ada, model, dataset)
    roles = [part.role for part in default_parts(asset)]
    assert roles.count("source") == 2


def test_asks_above_everything_are_an_error_that_says_by_how_much(
    ada: User, mia: User
) -> None:
    greedy = factories.model_of(party_of(mia), ask_ppm=PPM - FEE + 1)
    asset = work_with(ada, greedy)
    with pytest.raises(AgreementError, match="1000001 ppm with the fee"):
        default_parts(asset)
    exact = factories.model_of(party_of(mia), "Exact", ask_ppm=PPM - FEE)
    assert told(default_parts(work_with(ada, exact, title="Other")))[-1] == (
        "creator",
        "Ada",
        0,
    )


def test_a_request_names_creators_and_the_rest_is_filled_in(
    ada: User, ben: User, model: Source
) -> None:
    asset = work_with(ada, model)
    values = [
        {"holder": party_of(ada).holder.code, "ppm": 600_000},
        {"holder": party_of(ben).holder.code, "ppm": 230_000},
    ]
    assert told(parse_parts(asset, values)) == [
        ("platform", "Colophon", FEE),
        ("source", "Mia", 120_000),
        ("creator", "Ada", 600_000),
        ("creator", "Ben", 230_000),
    ]


def test_a_source_can_be_given_more_than_it_asks(ada: User, model: Source) -> None:
    asset = work_with(ada, model)
    ada_holder = party_of(ada).holder.code
    values = [
        {"source": model.code, "ppm": 200_000},
        {"holder": ada_holder, "ppm": 750_000},
    ]
    assert ("source", "Mia", 200_000) in told(parse_parts(asset, values))


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"ppm": 829_999}, "parts", "add 1"),
        ({"ppm": 830_001}, "parts", "take away 1"),
        ({"ppm": 1_000_001}, "parts/0/ppm", "expected 0 to 1000000"),
        ({"ppm": -1}, "parts/0/ppm", "expected 0 to 1000000"),
        ({"ppm": "all"}, "parts/0/ppm", "expected a number"),
        ({"ppm": 83.0}, "parts/0/ppm", "expected a number"),
        ({"holder": "hol_none"}, "parts/0/holder", "not a holder"),
        ({"extra": 1}, "parts/0/extra", "not a known field"),
    ],
)
def test_a_wrong_part_is_named(
    ada: User, model: Source, change: dict[str, Any], field: str, words: str
) -> None:
    asset = work_with(ada, model)
    value = {"holder": party_of(ada).holder.code, "ppm": 830_000, **change}
    with pytest.raises(InputError, match=words) as caught:
        parse_parts(asset, [value])
    assert caught.value.field == field


def test_a_source_cannot_be_given_less_than_it_asks(ada: User, model: Source) -> None:
    asset = work_with(ada, model)
    values = [{"source": model.code, "ppm": 119_999}]
    with pytest.raises(AgreementError, match="asks for 120000") as caught:
        parse_parts(asset, values)
    assert caught.value.field == "parts/0/source"


def test_a_source_that_no_step_names_cannot_be_given_a_part(
    ada: User, model: Source, dataset: Source
) -> None:
    asset = work_with(ada, model)
    with pytest.raises(AgreementError, match="is not a source"):
        parse_parts(asset, [{"source": dataset.code, "ppm": 1}])


def test_too_many_parts_are_refused(ada: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    with pytest.raises(AgreementError, match="at most 64"):
        parse_parts(asset, [{}] * 65)


def test_a_work_without_a_run_uses_nothing(ada: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    asset.run = None
    assert used_sources(asset) == []


@given(st.lists(st.integers(0, PPM), min_size=1, max_size=8))
def test_only_a_whole_passes(values: list[int]) -> None:
    """Parts of nobody: the sum alone decides."""
    parts = [Part(None, "creator", one) for one in values]  # type: ignore[arg-type]
    if sum(values) == PPM:
        check_sum(parts)
        return
    with pytest.raises(AgreementError, match=str(abs(PPM - sum(values)))):
        check_sum(parts)


def test_the_fee_is_the_platforms(ada: User, settings: Any) -> None:
    settings.PLATFORM_FEE_PPM = 70_000
    part = default_parts(factories.sealed_asset(party_of(ada)))[0]
    assert (part.holder, part.ppm) == (platform_holder(), 70_000)
