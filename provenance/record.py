"""Append one signed step to a run; refuse what does not fit and say why."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from accounts.keys import key_at
from accounts.models import Party, SigningKey
from colophon import statement, steps
from colophon.disclosure import Disclosure as Opening
from colophon.errors import InputError, ProofError, SignatureError
from log.append import append
from provenance.envelopes import envelope_of
from provenance.errors import StepError
from provenance.models import Disclosure, Proxy, Run, Source, Step, StepFile

MAX_STEPS = 1_000


def append_step(
    *,
    run: Run,
    envelope: statement.Envelope,
    disclosures: Sequence[Opening] = (),
    party: Party,
) -> Step:
    """Append a step to a run, exactly once: the same envelope is the same row.

    Writes: Step, StepFile, Proxy, Disclosure, Entry. Lock: the Run row.

    Raises:
        StepError: wrong signature, unknown key, another run's ticket, a ticket in
            some steps only, a gap in the positions, or a disclosure that opens
            nothing.
    """
    if run.party_id != party.pk:
        raise StepError("belongs to another party", "run")
    step, key = _checked(run, envelope, disclosures)
    with transaction.atomic(durable=True):
        run = Run.objects.select_for_update().get(pk=run.pk)
        if existing := Step.objects.filter(digest=envelope.digest).first():
            return existing
        _check_position(run, step.index)
        _check_like_the_first(run, step)
        row = Step.objects.create(
            run=run,
            position=step.index,
            digest=envelope.digest,
            action=step.action,
            actor_kind=step.actor.kind,
            source_type=step.source_type or "",
            key=key,
            model_source=_source(step.model.sha256) if step.model else None,
            entry=append("step", envelope.to_json()),
        )
        _name_files(row, step)
        Disclosure.objects.bulk_create(
            Disclosure(step=row, field=one.field, salt=one.salt, value=one.value)
            for one in disclosures
        )
    return row


def _checked(
    run: Run, envelope: statement.Envelope, disclosures: Sequence[Opening]
) -> tuple[steps.Step, SigningKey]:
    """The parsed step and its key, when signature, run and ticket fit."""
    try:
        steps.check_size(envelope)
        value = statement.read_statement(envelope.payload)
        step = steps.parse_step(value)
    except InputError as error:
        raise StepError(error.message, error.field) from error
    key = key_at(step.actor.key_id, timezone.now())
    if key is None:
        raise StepError(
            "is not an enrolled key; enroll it with POST /api/v1/keys first",
            "predicate/actor/key_id",
        )
    try:
        statement.verify(envelope, bytes(key.spki))
    except SignatureError as error:
        raise StepError(str(error), "envelope") from error
    _check_openings(value, disclosures)
    if step.run != run.code:
        raise StepError(f"is {step.run}, expected {run.code}", "predicate/run")
    if step.custody != key.custody:
        raise StepError(
            f"is {step.custody}, the key's is {key.custody}", "predicate/custody"
        )
    _check_ticket(run, step)
    return step, key


def _check_openings(value: statement.Json, openings: Sequence[Opening]) -> None:
    """Each disclosure opens a commitment of the step, and no two open the same."""
    seen: set[str] = set()
    for at, opening in enumerate(openings):
        if opening.field in seen:
            raise StepError(f"opens {opening.field} again", f"disclosures/{at}")
        seen.add(opening.field)
        try:
            steps.verify_disclosure(value, opening)
        except ProofError as error:
            raise StepError(str(error), f"disclosures/{at}") from error


def _check_ticket(run: Run, step: steps.Step) -> None:
    """A step names this run's ticket, or none (written down afterwards)."""
    if step.ticket is None:
        return
    ticket = envelope_of(run.ticket)
    if step.ticket.nonce != bytes(run.nonce) or step.ticket.digest != ticket.digest:
        raise StepError("is not this run's ticket", "predicate/ticket")


def _check_position(run: Run, index: int) -> None:
    count = run.steps.count()
    if count >= MAX_STEPS:
        raise StepError(f"has {MAX_STEPS} steps already; open a new run", "run")
    if index != count:
        raise StepError(
            f"is {index}, the run's next position is {count}", "predicate/index"
        )


def _check_like_the_first(run: Run, step: steps.Step) -> None:
    """All steps of a run carry its ticket, or none does: a mix proves nothing."""
    row = run.steps.select_related("entry").order_by("position").first()
    if row is None:
        return
    first = steps.parse_step(statement.read_statement(envelope_of(row.entry).payload))
    if (first.ticket is None) == (step.ticket is None):
        return
    words = (
        "is missing, and the run's first step has it"
        if first.ticket
        else "is there, and the run's first step has none"
    )
    raise StepError(f"{words}; open a new run for this step", "predicate/ticket")


def _source(digest: bytes) -> Source | None:
    """The registered source with this digest; its owner's own registration first."""
    rows = Source.objects.filter(digest=digest).order_by("created_at")
    return next((row for row in rows if row.owner_signed), rows.first())


def _name_files(row: Step, step: steps.Step) -> None:
    """One row for each digest that the step names, of files and of their copies."""
    proxies = dict(step.proxy.inputs + step.proxy.outputs) if step.proxy else {}
    made = [
        StepFile(
            step=row,
            relation=StepFile.Relation.OUTPUT,
            name=one.name,
            digest=one.sha256,
            proxy_digest=proxies.get(one.sha256),
        )
        for one in step.outputs
    ]
    made += [
        StepFile(
            step=row,
            relation=one.relation,
            name=one.name,
            digest=one.sha256,
            proxy_digest=proxies.get(one.sha256),
            source=_source(one.sha256),
        )
        for one in step.inputs
    ]
    StepFile.objects.bulk_create(made)
    named = {*proxies.values(), *(step.proxy.intermediates if step.proxy else ())}
    Proxy.objects.bulk_create(
        (Proxy(run=row.run, digest=one) for one in sorted(named)),
        ignore_conflicts=True,
    )
