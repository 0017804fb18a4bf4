"""Training permission: six vocabularies, one answer, and the strictest wins."""

from __future__ import annotations

import itertools
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon.errors import InputError
from colophon.permission.read import (
    MAX_TEXT,
    read_lines,
    read_offer,
    read_statement,
)
from colophon.permission.uses import USES, VALUES, Statement, combine
from colophon.permission.vocabularies import LICENSES, NAMES
from colophon.permission.write import to_six

SAID = st.dictionaries(st.sampled_from(USES), st.sampled_from(VALUES))
STATEMENTS = st.lists(st.builds(Statement, st.just("owner"), st.text("ab"), SAID))
NO, YES, IF = "notAllowed", "allowed", "constrained"
# The one limit that a vocabulary has no word for.
MUTE = ("tdmrep", "ai_inference")
TERMS = "https://example.org/terms"


def every_permission() -> list[dict[str, str]]:
    """All 256: each use unsaid, allowed, constrained or not allowed."""
    rows = itertools.product([None, *VALUES], repeat=len(USES))
    return [
        {use: value for use, value in zip(USES, row, strict=True) if value}
        for row in rows
    ]


@given(STATEMENTS, STATEMENTS)
def test_adding_a_statement_never_loosens(
    first: list[Statement], more: list[Statement]
) -> None:
    before, after = combine(first).uses, combine([*first, *more]).uses
    for use, value in before.items():
        assert VALUES.index(after[use]) >= VALUES.index(value)


@given(STATEMENTS, st.randoms())
def test_the_order_of_statements_changes_no_permission(
    said: list[Statement], chance: random.Random
) -> None:
    mixed = list(said)
    chance.shuffle(mixed)
    assert combine(mixed).uses == combine(said).uses


def test_silence_permits_nothing() -> None:
    assert combine([]).uses == {}
    quiet = read_statement("plus", "DMI-UNSPECIFIED")
    assert combine([quiet]).uses == {}
    assert combine([read_statement("license", "mit")]).uses == {}


def test_the_clause_that_decided_is_named() -> None:
    found = combine(
        [
            read_statement("license", "CC0-1.0"),
            read_statement("aipref", "train-ai=n, search=y"),
            read_statement("plus", "DMI-PROHIBITED-AIMLTRAINING"),
        ]
    )
    assert found.uses["ai_training"] == NO
    assert found.clauses["ai_training"] == "aipref: train-ai=n, search=y"
    assert found.clauses["ai_inference"] == "license: CC0-1.0"


@pytest.mark.parametrize(
    ("vocabulary", "text", "uses"),
    [
        ("cawg", '{"cawg.ai_training": {"use": "notAllowed"}}', {"ai_training": NO}),
        # constrained without saying how is a no
        ("cawg", '{"cawg.data_mining": {"use": "constrained"}}', {"data_mining": NO}),
        (
            "cawg",
            (
                '{"entries": {"cawg.data_mining":'
                ' {"use": "constrained", "constraint_info": "ask"}}}'
            ),
            {"data_mining": IF},
        ),
        ("plus", "DMI-PROHIBITED-GENAIMLTRAINING", {"ai_generative_training": NO}),
        (
            "plus",
            "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED",
            dict.fromkeys(USES, NO),
        ),
        ("plus", "DMI-PROHIBITED-SEECONSTRAINT", dict.fromkeys(USES, NO)),
        ("plus", "DMI-PROHIBITED-SEECONSTRAINT by asking", dict.fromkeys(USES, IF)),
        ("erc7517", '{"aiInference": "allowed"}', {"ai_inference": YES}),
        ("erc7517", '{"aiTrainingWithAuthorship": "allowed"}', {"ai_training": IF}),
        ("aipref", "search=y", {"data_mining": IF}),
        ("aipref", "all=y, all=n", dict.fromkeys(USES, NO)),
        (
            "rsl",
            "<license><prohibits type='usage'>ai-input</prohibits></license>",
            {"ai_inference": NO},
        ),
        (
            "rsl",
            (
                '<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>'
                '<permits type="usage">search</permits></license></content></rsl>'
            ),
            {**dict.fromkeys(USES, NO), "data_mining": IF},
        ),
        (
            "rsl",
            "<license><permits>all</permits><payment type='crawl'/></license>",
            dict.fromkeys(USES, IF),
        ),
        ("tdmrep", "tdm-reservation: 0", {"data_mining": YES}),
        ("license", "cc0-1.0", dict.fromkeys(USES, YES)),
        ("license", "cc-by-nc-4.0", dict.fromkeys(USES, IF)),
    ],
)
def test_each_vocabulary_is_read(
    vocabulary: str, text: str, uses: dict[str, str]
) -> None:
    assert dict(read_statement(vocabulary, text).uses) == uses


@pytest.mark.parametrize(
    ("vocabulary", "text", "words"),
    [
        ("morse", "-", "is not one of cawg, plus"),
        ("plus", "DMI-MAYBE", "DMI-ALLOWED"),
        ("plus", "", "expected 1 to"),
        ("plus", "x" * (MAX_TEXT + 1), "expected 1 to"),
        ("cawg", '{"cawg.cooking": {"use": "allowed"}}', "cawg.data_mining"),
        ("cawg", '{"cawg.data_mining": {"use": "maybe"}}', "allowed, constrained"),
        ("cawg", "[" * 99, "nested deeper"),
        ("erc7517", '{"aiCooking": "allowed"}', "dataMining"),
        ("aipref", "train-ai=maybe", "=y or =n"),
        ("aipref", "cook=n", "foundation-model-training"),
        ("rsl", "<license>", "is not XML"),
        ("rsl", "<content/>", "no license element"),
        ("rsl", "<license><permits>cook</permits></license>", "ai-train"),
        ("rsl", '<!DOCTYPE a [<!ENTITY b "b">]><license/>', "has a declaration"),
        ("tdmrep", "2", "is not 0 or 1"),
    ],
)
def test_what_is_no_statement_says_what_is(
    vocabulary: str, text: str, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_statement(vocabulary, text)
    assert words in str(caught.value)


def test_lines_are_statements_and_a_wrong_one_is_named() -> None:
    found = read_lines("aipref: train-ai=n\n\nlicense: CC-BY-4.0\n")
    assert [one.vocabulary for one in found] == ["aipref", "license"]
    for text in ("aipref: train-ai=n\nnonsense", "tdmrep: 1\nplus: maybe"):
        with pytest.raises(InputError, match="line 2"):
            read_lines(text)


def test_an_odrl_offer_is_read_and_what_is_strange_is_listed() -> None:
    said, strange = read_offer(
        {
            "odrl:permission": [
                {"odrl:action": {"@id": "https://x.example/terms#ai_training"}},
                {"odrl:action": {"@id": "odrl:mine"}, "odrl:duty": {}},
                {"odrl:action": "odrl:sing"},
            ],
            "odrl:prohibition": {"odrl:action": "ai_generative_training"},
        }
    )
    assert said
    assert dict(said.uses) == {
        "ai_generative_training": NO,
        "ai_training": IF,
        "data_mining": IF,
    }
    assert strange == ["permission of sing"]
    assert read_offer({}) == (None, [])
    with pytest.raises(InputError, match="names no action"):
        read_offer({"permission": [{"action": 7}]})


@pytest.mark.parametrize(
    "vocabulary", [one for one in NAMES if one not in {"owner", "license"}]
)
def test_no_vocabulary_says_it_looser(vocabulary: str) -> None:
    """All 256 permissions there and back: every use that was said is as strict."""
    for uses in every_permission():
        said = to_six(combine([Statement("owner", "", uses)]).uses, TERMS)[vocabulary]
        if not said:
            assert not set(uses.values()) - {YES}, uses
            continue
        text = said if isinstance(said, str) else json.dumps(said)
        if vocabulary == "rsl" and text == "<license></license>":
            assert not set(uses.values()) - {YES}, uses
            continue
        back = combine([read_statement(vocabulary, text)]).uses
        for use, value in uses.items():
            # Unsaid is no permission, so a yes may be left out; a limit may not.
            if value != YES and (vocabulary, use) != MUTE:
                assert VALUES.index(back[use]) >= VALUES.index(value), (uses, text)
        for use, value in back.items():
            if value == YES:
                assert uses.get(use) == YES, (uses, text)


def test_the_licenses_speak_of_every_use() -> None:
    assert all(set(said) == set(USES) for said in LICENSES.values())
