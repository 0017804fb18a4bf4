"""The recorded steps: signed, enrolled, ticketed and connected (checks 5 and 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from colophon.acts import OPENED, PARENT, Step
from colophon.checks import Checklist, Code
from colophon.errors import ColophonError, InputError
from colophon.evidence import Bundle, Record
from colophon.facts import StepFact
from colophon.keyring import Keyring, platform_statement
from colophon.logview import LogView
from colophon.origin import (
    Act,
    OriginClass,
    Signal,
    Term,
    classify_steps,
    is_clear,
    is_perceptible,
    term_of,
)
from colophon.records import Examination, Seal, Source, Ticket, parse_ticket
from colophon.statement import read_statement
from colophon.steps import parse_step

CLIENT, HUMAN, RUNTIME = "client", "human", "runtime"
_PICTURES = (PARENT, "componentOf")
_GENERATIVE = (Signal.AI, Signal.MIXED)


@dataclass(frozen=True)
class Owned:
    """A registered source and the account whose key registered it."""

    source: Source
    account: str


@dataclass(frozen=True)
class Given:
    """What the steps are judged against.

    Attributes:
        seal: names the steps, the upload and who registered the work.
        sources: registered sources, by digest.
        examination: what comparing the pictures found.
        captured: the history goes back to a trusted capture credential.
        as_of: the moment of the judgment.
    """

    seal: Seal
    sources: Mapping[bytes, Sequence[Owned]]
    examination: Examination | None
    captured: bool
    as_of: datetime


@dataclass(frozen=True)
class Steps:
    """What the evidence proves about the steps."""

    facts: tuple[StepFact, ...] = ()
    complete: bool = False
    ticket_at: datetime | None = None
    covered_at: datetime | None = None
    origin: OriginClass = OriginClass.UNKNOWN


@dataclass(frozen=True)
class _Signed:
    """A step with its record; `good` when the key it names signed it."""

    record: Record
    step: Step
    good: bool


def check_steps(
    bundle: Bundle, log: LogView, ring: Keyring, given: Given, checks: Checklist
) -> Steps:
    """Check the steps that the seal names.

    Args:
        bundle: step and ticket records.
        log: proven places and times.
        ring: enrolled keys.
        given: seal, sources and findings.
        checks: takes results 5 and 6.
    """
    found = _named_steps(bundle, ring, given.seal, checks)
    if not found:
        if not given.seal.steps:
            checks.skipped(5, "No steps were recorded for this work.")
        checks.skipped(6, "No steps were recorded for this work.")
        return Steps()
    ticket = _check_ticket(bundle, log, found, given, checks)
    complete = _check_connected([one.step for one in found], given.seal, checks)
    judge = _Judge(log, ring, given, ticket, [one.step for one in found])
    facts = tuple(judge.fact(at, one) for at, one in enumerate(found))
    for number, (fact, one) in enumerate(zip(facts, found, strict=True), 1):
        _note_key(checks, number, one, fact, ring)
    if complete:
        checks.passed(5, f"{len(facts)} steps are signed and lead to this file.")
    times = [log.proven_at(log.place(one.record)) for one in found]
    known = [moment for moment in times if moment is not None]
    return Steps(
        facts=facts,
        complete=complete,
        ticket_at=ticket[1].issued_at if ticket else None,
        covered_at=max(known) if len(known) == len(times) else None,
        origin=_origin(found, given),
    )


def _note_key(
    checks: Checklist, number: int, one: _Signed, fact: StepFact, ring: Keyring
) -> None:
    """Check 5: say what is wrong with the key or the signature of a step."""
    if ring.get(one.step.actor.key_id) is None:
        words = f"The evidence does not show whose key signed step {number}."
        checks.skipped(5, words)
    elif not fact.signed:
        checks.failed(5, f"Step {number} is not signed by the key it names.")
    elif one.step.ticket is not None and not fact.enrolled:
        words = f"The key of step {number} was not enrolled before, or was revoked."
        checks.failed(5, words, Code.EXPIRED)


def _named_steps(
    bundle: Bundle, ring: Keyring, seal: Seal, checks: Checklist
) -> list[_Signed]:
    """Check 5: exactly the steps of the seal, each readable and signed."""
    by_digest = {one.envelope.digest: one for one in bundle.of("step")}
    found: list[_Signed] = []
    for digest in seal.steps:
        record = by_digest.pop(digest, None)
        if record is None:
            checks.failed(5, f"Step {digest.hex()[:16]}… of the seal is missing.")
            return []
        try:
            step = parse_step(read_statement(record.envelope.payload))
        except InputError as error:
            checks.failed(5, f"A step cannot be read: {error}.")
            return []
        found.append(_Signed(record, step, _is_signed(record, step, ring)))
    if by_digest:
        checks.failed(5, f"{len(by_digest)} steps are not named by the seal.")
        return []
    return found


def _is_signed(record: Record, step: Step, ring: Keyring) -> bool:
    """Whether the key that the step names, an enrolled one, signed it."""
    try:
        signed = ring.verify(record.envelope)
    except ColophonError:
        return False
    return signed is not None and signed[1].enrollment.key_id == step.actor.key_id


def _check_connected(steps: Sequence[Step], seal: Seal, checks: Checklist) -> bool:
    """Check 5: each step leads to the registered file, none is out of order."""
    if any(late.index <= early.index for early, late in pairwise(steps)):
        checks.failed(5, "The steps are not in the order in which they were made.")
        return False
    if any(step.run != seal.run for step in steps):
        checks.failed(5, "A step belongs to another run than the seal names.")
        return False
    wanted = {seal.uploaded}
    for number in range(len(steps), 0, -1):
        step = steps[number - 1]
        made = {one.sha256 for one in step.outputs}
        if not made & wanted:
            checks.failed(5, f"Step {number} does not lead to this file.")
            return False
        wanted |= {one.sha256 for one in step.inputs}
    return True


def _check_ticket(
    bundle: Bundle,
    log: LogView,
    steps: Sequence[_Signed],
    given: Given,
    checks: Checklist,
) -> tuple[Record, Ticket] | None:
    """Check 6: one logged ticket by the platform, named by every step."""
    named = {one.step.ticket for one in steps}
    if named == {None}:
        checks.skipped(6, "The steps were written down afterwards, without a ticket.")
        return None
    record = bundle.one("ticket")
    if record is None:
        checks.skipped(6, "The ticket of the steps is missing.")
        return None
    try:
        said = platform_statement(record.envelope, log.trust)
        ticket = parse_ticket(said) if said else None
    except ColophonError as error:
        checks.failed(6, f"The ticket does not hold: {error}.")
        return None
    if ticket is None:
        words = "The ticket is signed by no platform key that you trust."
        checks.failed(6, words, Code.UNKNOWN_SIGNER)
        return None
    if odd := _odd_ticket(record, ticket, log, steps, given):
        checks.failed(6, odd)
        return None
    when = f"{ticket.issued_at:%Y-%m-%d %H:%M:%S} UTC"
    checks.passed(6, f"The work began after its ticket of {when}.")
    return record, ticket


def _odd_ticket(
    record: Record,
    ticket: Ticket,
    log: LogView,
    steps: Sequence[_Signed],
    given: Given,
) -> str:
    """What does not fit between the ticket, the seal and the steps."""
    for number, one in enumerate(steps, 1):
        ref = one.step.ticket
        if ref is None or (ref.digest, ref.nonce) != (
            record.envelope.digest,
            ticket.nonce,
        ):
            return f"Step {number} does not carry this ticket."
    if ticket.run != given.seal.run:
        return "The ticket is for another run."
    if ticket.party != given.seal.registrant:
        return "The ticket was given to somebody else."
    if ticket.checkpoint and ticket.checkpoint.origin != log.trust.origin:
        return "The ticket names another log."
    return ""


class _Judge:
    """Weighs one step after the other."""

    def __init__(
        self,
        log: LogView,
        ring: Keyring,
        given: Given,
        ticket: tuple[Record, Ticket] | None,
        steps: Sequence[Step],
    ) -> None:
        self._log, self._ring, self._given = log, ring, given
        self._ticket = log.index(ticket[0]) if ticket else None
        self._made: set[bytes] = set()
        self._shown: set[bytes] = set()
        self._steps = steps
        changed = given.examination.changed_ppm if given.examination else ()
        self._changed = dict(changed)

    def fact(self, number: int, signed: _Signed) -> StepFact:
        """What the evidence proves about the step of a number."""
        record, step = signed.record, signed.step
        term = term_of(step.source_type) if step.source_type else None
        outside = [
            one
            for one in step.inputs
            if one.relation in _PICTURES and one.sha256 not in self._made
        ]
        model = self._model(step)
        found = StepFact(
            digest=record.envelope.digest.hex(),
            action=step.action,
            actor_kind=step.actor.kind,
            perceptible=is_perceptible(step.action),
            ai=bool(step.model) or (term is not None and term.signal in _GENERATIVE),
            signed=signed.good,
            enrolled=self._enrolled(record, step),
            client_held=self._client_held(step),
            ticketed=self._ticketed(record),
            readable=is_clear(act_of(step)),
            resolved=self._resolved(step),
            registered_model=bool(model),
            runtime=self._runtime(step, model),
            intermediates=self._intermediates(step),
            outside_pictures=len(outside),
            captured=self._captured(number, bool(outside), term),
            same_bytes=_same_bytes(step),
            changed_ppm=self._changed.get(record.envelope.digest),
        )
        self._made |= {one.sha256 for one in step.outputs}
        return found

    def _captured(self, number: int, outside: bool, term: Term | None) -> bool:
        """Only a first step can begin with a capture, opened or made by itself."""
        made = term is not None and term.signal is Signal.CAPTURE
        return self._given.captured and number == 0 and (outside or made)

    def _enrolled(self, record: Record, step: Step) -> bool:
        """Enrolled before the ticket in the log, and not revoked by the proven time."""
        key = self._ring.get(step.actor.key_id)
        if key is None or self._ticket is None or key.index >= self._ticket:
            return False
        proven = self._log.proven_at(self._log.place(record))
        return not self._ring.revoked_by(step.actor.key_id, proven)

    def _client_held(self, step: Step) -> bool:
        key = self._ring.get(step.actor.key_id)
        return key is not None and step.custody == key.enrollment.custody == CLIENT

    def _ticketed(self, record: Record) -> bool:
        """In the log after the ticket; the ticket itself was compared before."""
        index = self._log.index(record)
        return self._ticket is not None and index is not None and index > self._ticket

    def _resolved(self, step: Step) -> bool:
        """Every input is an earlier output, a registered source or a capture."""
        known = self._made | set(self._given.sources)
        return all(
            one.sha256 in known
            or (self._given.captured and one.relation in _PICTURES and not self._made)
            for one in step.inputs
        )

    def _model(self, step: Step) -> list[Owned]:
        """The registrations of the model that a step names."""
        if step.model is None:
            return []
        registered = self._given.sources.get(step.model.sha256, ())
        return [one for one in registered if one.source.kind == "model"]

    def _runtime(self, step: Step, registrations: Sequence[Owned]) -> bool:
        """Whether the model's owner, somebody else, vouches for the acting key.

        Whoever registers a model of their own could name it for any picture, so it
        must belong to another party and account than the work does.
        """
        key = self._ring.get(step.actor.key_id)
        if key is None or step.model is None or key.enrollment.purpose != RUNTIME:
            return False
        if step.model.sha256 not in key.enrollment.models:
            return False
        makers = self._makers()
        return any(
            one.account == key.account
            and one.source.owner not in {None, self._given.seal.registrant}
            and one.account not in makers
            for one in registrations
        )

    def _makers(self) -> set[str]:
        """The accounts that act in this work other than by running a model."""
        keys = [self._ring.get(one.actor.key_id) for one in self._steps]
        return {k.account for k in keys if k and k.enrollment.purpose != RUNTIME}

    def _intermediates(self, step: Step) -> int:
        """In-progress proxies that show something new; none counts twice."""
        if step.proxy is None:
            return 0
        ends = {proxy for _, proxy in step.proxy.inputs + step.proxy.outputs}
        files = {one.sha256 for one in step.outputs} | self._made
        fresh = set(step.proxy.intermediates) - ends - files - self._shown
        self._shown |= fresh | ends
        return len(fresh)


def _same_bytes(step: Step) -> bool:
    return {o.sha256 for o in step.outputs} <= {i.sha256 for i in step.inputs}


def act_of(step: Step) -> Act:
    """What the origin rules read of a parsed step."""
    return Act(
        action=step.action,
        source_type=step.source_type,
        actor_kind=step.actor.kind,
        model=step.model is not None,
        pictures=tuple(
            one.sha256.hex() for one in step.inputs if one.relation in _PICTURES
        ),
        outputs=tuple(one.sha256.hex() for one in step.outputs),
    )


def _origin(found: Sequence[_Signed], given: Given) -> OriginClass:
    """Class of the steps; a captured start is known, other pictures are not."""
    known = {}
    if given.captured and found[0].step.action == OPENED:
        known = dict.fromkeys(act_of(found[0].step).pictures, OriginClass.CAPTURE)
    return classify_steps([act_of(one.step) for one in found], known)
