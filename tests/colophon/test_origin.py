"""The origin classes: every term of the vocabulary, and the rules that join them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon.origin import (
    C2PA,
    IPTC,
    TERMS,
    Act,
    OriginClass,
    classify_source_types,
    classify_steps,
    has_ai,
    is_perceptible,
    term_of,
    words,
)

ALONE = {
    IPTC + "digitalCapture": "CAPTURE",
    IPTC + "computationalCapture": "CAPTURE",
    IPTC + "negativeFilm": "CAPTURE",
    IPTC + "positiveFilm": "CAPTURE",
    IPTC + "print": "CAPTURE",
    IPTC + "compositeCapture": "CAPTURE",
    IPTC + "humanEdits": "UNKNOWN",
    IPTC + "minorHumanEdits": "UNKNOWN",
    IPTC + "algorithmicallyEnhanced": "UNKNOWN",
    IPTC + "digitalCreation": "HUMAN_MADE",
    IPTC + "digitalArt": "UNKNOWN",
    IPTC + "softwareImage": "UNKNOWN",
    IPTC + "dataDrivenMedia": "ALGORITHMIC",
    IPTC + "algorithmicMedia": "ALGORITHMIC",
    IPTC + "trainedAlgorithmicMedia": "AI",
    IPTC + "compositeWithTrainedAlgorithmicMedia": "HYBRID",
    IPTC + "compositeSynthetic": "HYBRID",
    IPTC + "virtualRecording": "HYBRID",
    IPTC + "composite": "UNKNOWN",
    IPTC + "screenCapture": "UNKNOWN",
    C2PA + "empty": "UNKNOWN",
    C2PA + "trainedAlgorithmicData": "AI",
}


def i(*names: str) -> list[str]:
    return [IPTC + name for name in names]


def test_the_table_holds_twenty_iptc_and_two_c2pa_terms() -> None:
    assert set(TERMS) == set(ALONE)
    assert sum(uri.startswith(IPTC) for uri in TERMS) == 20


@pytest.mark.parametrize(("uri", "expected"), ALONE.items())
def test_each_term_alone_has_its_class(uri: str, expected: str) -> None:
    assert classify_source_types([uri]).value == expected


@pytest.mark.parametrize("uri", ALONE)
def test_https_is_read_and_http_is_written(uri: str) -> None:
    term = term_of(uri.replace("http://", "https://"))
    assert term is not None
    assert term.uri == uri


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ([], "UNKNOWN"),
        (["http://cv.iptc.org/newscodes/digitalsourcetype/madeUp"], "UNKNOWN"),
        (i("trainedAlgorithmicMedia", "humanEdits"), "HYBRID"),
        (i("trainedAlgorithmicMedia", "algorithmicallyEnhanced"), "AI"),
        (i("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"), "AI"),
        (i("digitalCapture", "humanEdits"), "CAPTURE"),
        (i("digitalCapture", "compositeWithTrainedAlgorithmicMedia"), "HYBRID"),
        (i("digitalCapture", "composite"), "UNKNOWN"),
        ([C2PA + "empty", *i("humanEdits")], "HUMAN_MADE"),
        ([C2PA + "empty", *i("trainedAlgorithmicMedia")], "AI"),
        ([C2PA + "empty", *i("algorithmicallyEnhanced")], "UNKNOWN"),
        (i("digitalCreation", "humanEdits"), "HUMAN_MADE"),
        (i("humanEdits", "humanEdits"), "UNKNOWN"),
        (i("algorithmicMedia", "humanEdits"), "ALGORITHMIC"),
        (i("algorithmicMedia", "trainedAlgorithmicMedia"), "HYBRID"),
        ([*i("trainedAlgorithmicMedia"), "nonsense"], "UNKNOWN"),
    ],
)
def test_terms_together_follow_the_signals_rules(
    types: list[str], expected: str
) -> None:
    assert classify_source_types(types).value == expected


def act(action: str, kind: str | None, who: str = "human", **more: object) -> Act:
    uri = None if kind is None else IPTC + kind
    return Act("c2pa." + action, uri, who, **more)  # type: ignore[arg-type]


GENERATED = act(
    "created", "trainedAlgorithmicMedia", "agent", model=True, outputs=("a",)
)
RETOUCHED = act("edited", "humanEdits", pictures=("a",), outputs=("b",))
PUBLISHED = act("published", None, "tool", pictures=("b",), outputs=("b",))


def test_a_generated_and_retouched_work_is_hybrid() -> None:
    assert classify_steps([GENERATED]) is OriginClass.AI
    assert classify_steps([GENERATED, RETOUCHED, PUBLISHED]) is OriginClass.HYBRID


def test_a_human_source_type_by_a_tool_is_not_believed() -> None:
    drawn = act("created", "digitalCreation", outputs=("a",))
    by_tool = act("created", "digitalCreation", "tool", outputs=("a",))
    assert classify_steps([drawn]) is OriginClass.HUMAN_MADE
    assert classify_steps([by_tool]) is OriginClass.UNKNOWN


def test_a_model_under_a_human_source_type_is_not_believed() -> None:
    step = act("created", "digitalCreation", model=True, outputs=("a",))
    assert classify_steps([step]) is OriginClass.UNKNOWN


def test_a_picture_from_nowhere_makes_the_origin_unknown() -> None:
    assert classify_steps([RETOUCHED]) is OriginClass.UNKNOWN
    known = {"a": OriginClass.CAPTURE}
    assert classify_steps([RETOUCHED], known) is OriginClass.CAPTURE
    assert classify_steps([RETOUCHED], {"a": OriginClass.AI}) is OriginClass.HYBRID


def test_an_edit_without_a_source_type_makes_the_origin_unknown() -> None:
    silent = act("edited", None, pictures=("a",), outputs=("b",))
    assert classify_steps([GENERATED, silent]) is OriginClass.UNKNOWN


@pytest.mark.parametrize("action", ["c2pa.unknown", "org.example.magic"])
def test_an_action_that_says_nothing_makes_the_origin_unknown(action: str) -> None:
    step = Act(action, IPTC + "humanEdits", "human", pictures=("a",), outputs=("b",))
    assert classify_steps([GENERATED, step]) is OriginClass.UNKNOWN


def test_no_steps_and_empty_answers_are_unknown() -> None:
    assert classify_steps([]) is OriginClass.UNKNOWN
    assert classify_steps([PUBLISHED]) is OriginClass.UNKNOWN


@given(st.lists(st.sampled_from(sorted(ALONE)), min_size=1, max_size=6))
def test_ai_anywhere_never_reads_as_human_or_captured(types: list[str]) -> None:
    clean = {OriginClass.HUMAN_MADE, OriginClass.CAPTURE, OriginClass.ALGORITHMIC}
    if has_ai(types):
        assert classify_source_types(types) not in clean


@given(st.lists(st.sampled_from(sorted(ALONE)), max_size=6))
def test_an_unknown_term_is_never_rounded_to_an_answer(types: list[str]) -> None:
    assert classify_source_types([*types, "urn:x"]) is OriginClass.UNKNOWN


def test_words_say_declared_below_e3() -> None:
    assert words(OriginClass.HUMAN_MADE, 2) == "Human-made (declared)"
    assert words(OriginClass.HUMAN_MADE, 3) == "Human-made (recorded)"
    assert words(OriginClass.UNKNOWN, 3) == "Origin unknown"


def test_only_content_changes_are_perceptible() -> None:
    assert is_perceptible("c2pa.edited")
    assert not is_perceptible("c2pa.published")
