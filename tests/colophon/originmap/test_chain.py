from dataclasses import replace
from datetime import UTC, datetime

from colophon.acts import Actor, File, Input, Model, Step, Tool
from colophon.origin import IPTC
from colophon.originmap.blame import Does, Kind
from colophon.originmap.chain import chain_to, does_of, kind_of
from colophon.originmap.moves import Geometry, Move

NOW = datetime(2026, 11, 30, tzinfo=UTC)
AI, HUMAN = IPTC + "trainedAlgorithmicMedia", IPTC + "humanEdits"
MIXED = IPTC + "compositeWithTrainedAlgorithmicMedia"


def digest(name: str) -> bytes:
    return name.encode().ljust(32, b".")


def act(
    output: str,
    action: str,
    *parents: str,
    kind: str = "human",
    source: str | None = HUMAN,
    model: Model | None = None,
) -> Step:
    return Step(
        outputs=(File(output, digest(output)),),
        action=action,
        source_type=source,
        actor=Actor("ab" * 32, kind, None),
        inputs=tuple(Input(one, digest(one)) for one in parents),
        model=model,
        commitments={},
        tool=Tool("t", "1"),
        started_on=NOW,
        finished_on=NOW,
        proxy=None,
        run="run_" + "0" * 32,
        ticket=None,
        custody="client",
        index=0,
        note=None,
    )


MADE = act("a", "c2pa.created", kind="agent", source=AI)
DRAWN = act("b", "c2pa.drawing", "a")
CUT = act("c", "c2pa.cropped", "b")
STEPS = [MADE, DRAWN, CUT]


def at_hand(*names: str) -> dict[bytes, bytes]:
    return {digest(one): digest(f"proxy {one}") for one in names}


def test_the_chain_leads_from_the_first_step_to_the_file() -> None:
    told = Geometry((10, 10), (Move("flip", "horizontal"),))
    found = chain_to(digest("c"), STEPS, at_hand("a", "b", "c"), {2: told})
    assert [(one.step, one.kind, one.does) for one in found] == [
        (0, Kind.AI, Does.BEGIN),
        (1, Kind.HUMAN, Does.LOCAL),
        (2, Kind.HUMAN, Does.GEOMETRY),
    ]
    assert [one.geometry for one in found] == [None, None, told]
    assert found[1].picture == digest("proxy b")


def test_steps_that_lead_elsewhere_are_left_out() -> None:
    aside = act("x", "c2pa.drawing", "a")
    found = chain_to(digest("b"), [MADE, aside, DRAWN, CUT], at_hand("a", "b", "x"), {})
    assert [one.step for one in found] == [0, 2]


def test_a_file_that_no_step_made_has_no_chain() -> None:
    assert chain_to(digest("z"), STEPS, at_hand("a", "b", "c"), {}) == []


def test_a_chain_without_its_last_picture_is_none() -> None:
    assert chain_to(digest("c"), STEPS, at_hand("a", "b"), {}) == []


def test_a_missing_picture_joins_its_step_with_the_next() -> None:
    same = chain_to(digest("c"), STEPS, at_hand("a", "c"), {})
    assert [(one.step, one.kind, one.does) for one in same] == [
        (0, Kind.AI, Does.BEGIN),
        (2, Kind.HUMAN, Does.ANY),
    ]
    by_ai = replace(DRAWN, actor=Actor("ab" * 32, "agent", None))
    other = chain_to(digest("c"), [MADE, by_ai, CUT], at_hand("a", "c"), {})
    assert other[1].kind is Kind.UNKNOWN  # either may have done it


def test_a_chain_that_begins_in_the_middle_says_nothing_of_before() -> None:
    found = chain_to(digest("c"), STEPS, at_hand("b", "c"), {})
    assert [(one.kind, one.does) for one in found] == [
        (Kind.UNKNOWN, Does.BEGIN),
        (Kind.HUMAN, Does.GEOMETRY),
    ]


def test_a_picture_that_was_opened_is_unknown_whoever_opened_it() -> None:
    opened = act("b", "c2pa.opened", "a", source=None)
    found = chain_to(digest("c"), [opened, CUT], at_hand("b", "c"), {})
    assert (found[0].kind, found[0].does) == (Kind.UNKNOWN, Does.BEGIN)
    first = chain_to(digest("b"), [DRAWN], at_hand("a", "b"), {})
    assert [(one.step, one.kind) for one in first] == [
        (None, Kind.UNKNOWN),
        (0, Kind.HUMAN),
    ]


def test_where_a_model_had_a_part_it_counts_as_ai() -> None:
    assert kind_of(act("b", "c2pa.edited", "a", source=MIXED)) is Kind.AI
    assert kind_of(act("b", "c2pa.edited", "a", model=Model(b"m" * 32))) is Kind.AI
    assert kind_of(act("b", "c2pa.edited", "a", kind="agent")) is Kind.AI
    assert kind_of(act("b", "c2pa.edited", "a")) is Kind.HUMAN
    assert kind_of(act("b", "c2pa.edited", "a", kind="tool")) is Kind.PROGRAM


def test_a_step_that_is_wholly_of_a_model_makes_the_picture_anew() -> None:
    assert does_of(act("b", "c2pa.edited", "a", source=AI)) is Does.REMAKE
    assert does_of(act("b", "c2pa.edited", "a", source=MIXED)) is Does.ANY
    assert does_of(act("b", "c2pa.published", "a", source=None)) is Does.SAVE


def test_a_circle_of_steps_ends() -> None:
    circle = [act("a", "c2pa.edited", "b"), act("b", "c2pa.edited", "a")]
    found = chain_to(digest("b"), circle, at_hand("a", "b"), {})
    assert [one.step for one in found][-1] == 1
    assert len(found) <= 3


def test_what_came_from_another_picture_is_not_the_placers() -> None:
    placed = act("b", "c2pa.placed", "a")
    other = Input("other", digest("other"), "componentOf")
    placed = replace(placed, inputs=(*placed.inputs, other))
    assert kind_of(placed) is Kind.UNKNOWN
    assert kind_of(replace(placed, model=Model(b"m" * 32))) is Kind.AI
    reference = replace(other, relation="inputTo")
    assert kind_of(replace(placed, inputs=(reference,))) is Kind.HUMAN
