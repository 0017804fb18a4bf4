"""Step statements: built, read back, and every wrong field refused by its name."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import steps
from colophon.digest import canonical, sha256
from colophon.errors import InputError
from colophon.ids import new_id
from colophon.keys import Ed25519Key
from colophon.statement import NAMESPACE, STEP_TYPE
from colophon.steps import Actor, File, Input, Model, Proxies, TicketRef, Tool

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEY = Ed25519Key.from_seed(b"a" * 32)
PARTY, RUN = new_id("pty"), new_id("run")
BASE, MODEL, OUT = sha256(b"base"), sha256(b"model"), sha256(b"out")
TICKET = TicketRef(sha256(b"nonce"), sha256(b"ticket"))


def build(**changes: Any) -> tuple[dict[str, Any], list[steps.Disclosure]]:
    """A full step: an agent paints into a picture with a model."""
    full = {
        "outputs": [File("out.png", OUT)],
        "action": "c2pa.edited",
        "source_type": f"{IPTC}compositeWithTrainedAlgorithmicMedia",
        "actor": Actor(KEY.key_id, "agent", PARTY),
        "inputs": [Input("in.png", BASE), Input("model", MODEL, "inputTo")],
        "model": Model(MODEL, "Painter 2"),
        "prompt": "a cat in the rain",
        "parameters": {"seed": 7, "guidance": 7.5},
        "tool": Tool("studio", "3.1"),
        "started_on": NOON,
        "finished_on": NOON + timedelta(seconds=9),
        "proxy": Proxies(
            ((BASE, sha256(b"p1")),), ((OUT, sha256(b"p2")),), (sha256(b"p3"),)
        ),
        "run": RUN,
        "ticket": TICKET,
        "index": 1,
        "note": "sky only",
    }
    return steps.build_step(**{**full, **changes})


SAID, DISCLOSURES = build()


def test_a_step_reads_back_whole() -> None:
    step = steps.parse_step(SAID)
    assert step.outputs == (File("out.png", OUT),)
    assert step.inputs[1] == Input("model", MODEL, "inputTo")
    assert step.actor == Actor(KEY.key_id, "agent", PARTY)
    assert step.model == Model(MODEL, "Painter 2")
    assert step.ticket == TICKET
    assert step.finished_on - step.started_on == timedelta(seconds=9)
    assert step.proxy is not None
    assert step.proxy.intermediates == (sha256(b"p3"),)
    assert (step.run, step.index, step.custody) == (RUN, 1, "client")
    assert SAID["predicateType"] == STEP_TYPE == f"{NAMESPACE}/step/v1"


def test_prompt_and_parameters_stay_private() -> None:
    text = canonical(SAID).decode()
    assert "in the rain" not in text
    assert "7.5" not in text
    assert {one.field for one in DISCLOSURES} == {
        "prompt",
        "parameters/seed",
        "parameters/guidance",
    }
    for one in DISCLOSURES:
        steps.verify_disclosure(SAID, one)
        assert steps.parse_step(SAID).commitments[one.field].hex() in text


def test_the_smallest_step_has_no_optional_field() -> None:
    made, disclosures = build(
        source_type=None,
        action="c2pa.published",
        inputs=[],
        model=None,
        prompt=None,
        parameters=None,
        proxy=None,
        ticket=None,
        note=None,
    )
    assert disclosures == []
    assert steps.parse_step(made).commitments == {}
    assert sorted(made["predicate"]) == [
        "action",
        "actor",
        "custody",
        "finished_on",
        "index",
        "inputs",
        "run",
        "started_on",
        "tool",
    ]


@pytest.mark.parametrize("action", steps.ACTIONS)
def test_every_action_can_be_recorded(action: str) -> None:
    opened = action == "c2pa.opened"
    created = action == "c2pa.created"
    made, _ = build(
        action=action,
        source_type=None if opened else f"{IPTC}humanEdits",
        inputs=[] if created else [Input("in.png", BASE)],
        proxy=None,
    )
    assert steps.parse_step(made).action == action


def at(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Sets one place of a statement; None removes it."""

    def change(said: dict[str, Any]) -> None:
        place: Any = said
        *parts, last = path.split("/")
        for part in parts:
            place = place[int(part) if part.isdigit() else part]
        if value is None:
            del place[last]
        else:
            place[int(last) if last.isdigit() else last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("predicate/action", "edited", None),
        ("predicate/action", "c2pa.color_adjustments", None),
        ("predicate/action", ["c2pa.edited"], None),
        ("predicate/digitalSourceType", None, None),
        ("predicate/digitalSourceType", f"{IPTC}painted", None),
        ("predicate/digitalSourceType", f"{IPTC}digitalArt", None),  # retired
        (
            "predicate/digitalSourceType",
            f"{IPTC}humanEdits".replace("http:", "https:"),
            None,
        ),
        ("predicate/actor/key_id", "ab", None),
        ("predicate/actor/kind", "robot", None),
        ("predicate/actor/on_behalf_of", "Ada", None),
        ("predicate/actor/email", "ada@example.org", None),
        ("predicate/inputs/0/digest", "ab", None),
        ("predicate/inputs/0/digest/sha256", "AB" * 32, None),
        ("predicate/inputs/0/digest/md5", "ab", None),
        ("predicate/inputs/0/relation", "childOf", None),
        ("predicate/inputs/1/relation", "parentOf", "predicate/inputs"),
        ("predicate/inputs/0/name", "", None),
        ("predicate/inputs", {}, None),
        ("predicate/inputs", [{}] * 65, None),
        ("predicate/model/digest/sha256", None, None),
        ("predicate/model/weights", "x", None),
        ("predicate/prompt", "a cat in the rain", None),
        ("predicate/prompt/commitment", "ab", None),
        ("predicate/parameters/seed", 7, None),
        (
            "predicate/parameters",
            {"a/b": {"commitment": "ab" * 32}},
            "predicate/parameters",
        ),
        ("predicate/tool/name", None, None),
        ("predicate/tool/version", 3, None),
        ("predicate/started_on", "yesterday", None),
        ("predicate/finished_on", "2026-01-31T11:59:59Z", None),
        ("predicate/proxy/inputs/0/of/sha256", "ab" * 32, "predicate/proxy/inputs"),
        ("predicate/proxy/outputs/0/of/sha256", "ab" * 32, "predicate/proxy/outputs"),
        ("predicate/proxy/intermediates/0/digest", None, None),
        ("predicate/run", "run-1", None),
        ("predicate/ticket/nonce", "ab", None),
        ("predicate/ticket/digest", None, None),
        ("predicate/custody", "shared", None),
        ("predicate/index", -1, None),
        ("predicate/index", True, None),
        ("predicate/note", "x" * 281, None),
        ("predicate/mood", "good", None),
        ("predicateType", "https://colophon.example/seal/v1", None),
        ("subject/0/digest/sha256", "ab", None),
        ("subject", [], None),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(
    path: str, value: object, field: str | None
) -> None:
    broken = copy.deepcopy(SAID)
    at(path, value)(broken)
    with pytest.raises(InputError) as caught:
        steps.parse_step(broken)
    assert caught.value.field == (field or path)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"action": "c2pa.created"}, "predicate/inputs"),
        (
            {"action": "c2pa.opened", "source_type": None, "inputs": []},
            "predicate/inputs",
        ),
        ({"action": "c2pa.opened"}, "predicate/digitalSourceType"),
        ({"outputs": []}, "subject"),
        ({"parameters": {"a b": 1}}, "predicate/parameters"),
        ({"parameters": {"x": float("nan")}}, "parameters/x"),
        ({"prompt": "x" * 70_000}, "prompt"),
        ({"started_on": datetime(2026, 1, 1)}, "predicate/started_on"),  # noqa: DTZ001
    ],
)
def test_what_could_not_be_read_is_not_built(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        build(**changes)
    assert caught.value.field == field


@given(st.data())
def test_any_value_anywhere_gives_an_input_error_or_a_step(data: st.DataObject) -> None:
    """Hostile values of every JSON type at every place never break the parser."""
    broken = copy.deepcopy(SAID)
    place: Any = broken
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text(max_size=5)
            | st.lists(st.integers(), max_size=2)
            | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
        )
        break
    try:
        steps.parse_step(broken)
    except InputError:
        return
