"""Origin class: what a work declares or records about how it came to be.

Reads digital source types (IPTC, 20 terms, and C2PA, 2 terms) by the C2PA
signals rules. Human-made is never inferred, and unknown is a valid answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
C2PA = "http://c2pa.org/digitalsourcetype/"


class OriginClass(StrEnum):
    """The six answers of axis O."""

    CAPTURE = "CAPTURE"
    HUMAN_MADE = "HUMAN_MADE"
    HYBRID = "HYBRID"
    AI = "AI"
    ALGORITHMIC = "ALGORITHMIC"
    UNKNOWN = "UNKNOWN"


class Signal(StrEnum):
    """What one source type says about the act that carries it."""

    CAPTURE = "capture"  # recorded from real life
    CANVAS = "canvas"  # nothing there yet
    HUMAN_START = "human_start"  # a person began with non-generative tools
    HUMAN_EDIT = "human_edit"  # a person changed it with non-generative tools
    AI = "ai"  # wholly from a trained model
    MIXED = "mixed"  # generative AI beside something else
    ALGORITHM = "algorithm"  # computed, no training data
    NEUTRAL = "neutral"  # an algorithm that leaves the main content alone
    DOUBT = "doubt"  # may or may not hold generative AI


@dataclass(frozen=True)
class Term:
    """One concept of the vocabulary; `alone` is its class when nothing else is said."""

    name: str
    scheme: str
    signal: Signal
    alone: OriginClass
    retired: bool = False

    @property
    def uri(self) -> str:
        """The address as written: http, never https (standards.md 4.1)."""
        return self.scheme + self.name


_O, _S = OriginClass, Signal
_ROWS = (
    Term("digitalCapture", IPTC, _S.CAPTURE, _O.CAPTURE),
    Term("computationalCapture", IPTC, _S.CAPTURE, _O.CAPTURE),
    Term("negativeFilm", IPTC, _S.CAPTURE, _O.CAPTURE),
    Term("positiveFilm", IPTC, _S.CAPTURE, _O.CAPTURE),
    Term("print", IPTC, _S.CAPTURE, _O.CAPTURE),
    Term("compositeCapture", IPTC, _S.CAPTURE, _O.CAPTURE),
    # An edit without a known beginning says nothing about the whole.
    Term("humanEdits", IPTC, _S.HUMAN_EDIT, _O.UNKNOWN),
    Term("minorHumanEdits", IPTC, _S.HUMAN_EDIT, _O.UNKNOWN, retired=True),
    Term("algorithmicallyEnhanced", IPTC, _S.NEUTRAL, _O.UNKNOWN),
    Term("digitalCreation", IPTC, _S.HUMAN_START, _O.HUMAN_MADE),
    # The conformance rubric counts digitalArt as possibly generative.
    Term("digitalArt", IPTC, _S.DOUBT, _O.UNKNOWN, retired=True),
    Term("softwareImage", IPTC, _S.DOUBT, _O.UNKNOWN, retired=True),
    Term("dataDrivenMedia", IPTC, _S.ALGORITHM, _O.ALGORITHMIC),
    Term("algorithmicMedia", IPTC, _S.ALGORITHM, _O.ALGORITHMIC),
    Term("trainedAlgorithmicMedia", IPTC, _S.AI, _O.AI),
    Term("compositeWithTrainedAlgorithmicMedia", IPTC, _S.MIXED, _O.HYBRID),
    Term("compositeSynthetic", IPTC, _S.MIXED, _O.HYBRID),
    Term("virtualRecording", IPTC, _S.MIXED, _O.HYBRID),
    Term("composite", IPTC, _S.DOUBT, _O.UNKNOWN),
    Term("screenCapture", IPTC, _S.DOUBT, _O.UNKNOWN),
    Term("empty", C2PA, _S.CANVAS, _O.UNKNOWN),
    Term("trainedAlgorithmicData", C2PA, _S.AI, _O.AI),
)
TERMS: Mapping[str, Term] = {term.uri: term for term in _ROWS}

# Actions that do not change the content and so need no source type
# (C2PA 2.4, standards.md 4.2); opened and placed only bring something in.
NON_EDITORIAL = frozenset(
    "c2pa." + name
    for name in (
        "converted",
        "published",
        "repackaged",
        "transcoded",
        "resized.proportional",
        "enhanced",
        "edited.metadata",
        "watermarked",
        "watermarked.bound",
        "watermarked.unbound",
        "redacted",
        "placed",
        "opened",
    )
)


@dataclass(frozen=True)
class Act:
    """What the origin rules read of one recorded step.

    Digests are lowercase hex. `pictures` are inputs that become part of the output
    (parentOf, componentOf); prompts, models and data sets are not pictures.
    """

    action: str
    source_type: str | None
    actor_kind: str
    model: bool = False
    pictures: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def term_of(uri: str) -> Term | None:
    """Find the term of a source type, written with http or https; None if unknown."""
    return TERMS.get(uri.strip().replace("https://", "http://", 1))


def classify_source_types(uris: Sequence[str]) -> OriginClass:
    """Class of a work from its source types in order, the beginning first.

    Args:
        uris: digitalSourceType values of the actions of the whole tree, as found.

    Source: standards.md 4.2 (signals), badge-policy.md axis 2.
    """
    terms = [term_of(uri) for uri in uris]
    known = [term for term in terms if term is not None]
    if not known or len(known) < len(terms):
        return OriginClass.UNKNOWN
    if len(known) == 1:
        return known[0].alone
    return _class_of([term.signal for term in known])


def _class_of(signals: Sequence[Signal]) -> OriginClass:
    """Class from signals in order; the first one is the beginning."""
    seen = set(signals)
    if Signal.DOUBT in seen:
        return OriginClass.UNKNOWN
    if seen & {Signal.AI, Signal.MIXED}:
        return _class_with_ai(signals[0], seen)
    if signals[0] is Signal.CAPTURE:
        return OriginClass.CAPTURE
    if signals[0] is Signal.ALGORITHM:
        return OriginClass.ALGORITHMIC
    human = Signal.HUMAN_START in seen or Signal.HUMAN_EDIT in seen
    if signals[0] in {Signal.CANVAS, Signal.HUMAN_START} and human:
        # A picture from real life placed into a drawing stays a drawing: no AI in it.
        return OriginClass.HUMAN_MADE
    return OriginClass.UNKNOWN


def _class_with_ai(first: Signal, seen: set[Signal]) -> OriginClass:
    """AI or HYBRID: is there a person, or something not made by AI, beside it."""
    others = {Signal.CAPTURE, Signal.HUMAN_START, Signal.HUMAN_EDIT}
    begun_elsewhere = first in {Signal.ALGORITHM, Signal.MIXED}
    if seen & others or begun_elsewhere:
        return OriginClass.HYBRID
    return OriginClass.AI


def classify_steps(
    acts: Sequence[Act], known: Mapping[str, OriginClass] | None = None
) -> OriginClass:
    """Class of a work from its recorded steps, in order.

    An act that cannot be read (no source type where one is due, an unknown term, a
    human source type by a tool, a picture from nowhere) makes the answer UNKNOWN.

    Args:
        acts: the steps from the first to the last.
        known: classes of pictures that came in from outside, by hex digest.
    """
    outside = known or {}
    made: set[str] = set()
    signals: list[Signal] = []
    for act in acts:
        came_in = [outside.get(d) for d in act.pictures if d not in made]
        if any(origin in (None, OriginClass.UNKNOWN) for origin in came_in):
            return OriginClass.UNKNOWN
        signals += [_SIGNAL_OF_CLASS[origin] for origin in came_in if origin]
        own = _signal_of_act(act)
        if own is Signal.DOUBT:
            return OriginClass.UNKNOWN
        if own is not None:
            signals.append(own)
        made.update(act.outputs)
    return _class_of(signals) if signals else OriginClass.UNKNOWN


_SIGNAL_OF_CLASS = {
    OriginClass.CAPTURE: Signal.CAPTURE,
    OriginClass.HUMAN_MADE: Signal.HUMAN_START,
    OriginClass.HYBRID: Signal.MIXED,
    OriginClass.AI: Signal.AI,
    OriginClass.ALGORITHMIC: Signal.ALGORITHM,
}


def _signal_of_act(act: Act) -> Signal | None:
    """The signal of one step; DOUBT when it cannot be read, None when it has none."""
    if act.action == "c2pa.unknown" or not act.action.startswith("c2pa."):
        return Signal.DOUBT
    if act.source_type is None:
        return None if act.action in NON_EDITORIAL else Signal.DOUBT
    term = term_of(act.source_type)
    if term is None:
        return Signal.DOUBT
    human = term.signal in {Signal.HUMAN_START, Signal.HUMAN_EDIT}
    if human and act.actor_kind != "human":
        return Signal.DOUBT
    if act.model and term.signal not in {Signal.AI, Signal.MIXED, Signal.NEUTRAL}:
        # A trained model at work under a source type that denies it.
        return Signal.DOUBT
    return term.signal


def is_clear(act: Act) -> bool:
    """Whether a step says what was done, without contradicting itself."""
    return _signal_of_act(act) is not Signal.DOUBT


def is_perceptible(action: str) -> bool:
    """Whether an action changes what a person sees or hears."""
    return action not in NON_EDITORIAL


def has_ai(uris: Iterable[str]) -> bool:
    """Whether any source type names generative AI; for warnings, not for the class."""
    ai = {Signal.AI, Signal.MIXED}
    return any(t is not None and t.signal in ai for t in map(term_of, uris))


_NAMES = {
    OriginClass.CAPTURE: "Captured from life",
    OriginClass.HUMAN_MADE: "Human-made",
    OriginClass.HYBRID: "Human and AI together",
    OriginClass.AI: "Made by AI",
    OriginClass.ALGORITHMIC: "Computed, without AI",
}


def words(origin: OriginClass, evidence_level: int) -> str:
    """The class as a page says it: declared below E3, recorded from E3 on."""
    if origin is OriginClass.UNKNOWN:
        return "Origin unknown"
    return f"{_NAMES[origin]} ({'recorded' if evidence_level >= 3 else 'declared'})"  # noqa: PLR2004 - E3
