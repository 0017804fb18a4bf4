"""What the records of a bundle tell of a work: what every export is written from.

Nothing is checked here: an export repeats what was recorded, and whether that holds is
for `colophon verify` to say. Names of files, notes, and the commitments of prompts and
parameters are left behind, so that no export can carry them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from colophon.acts import Actor, Model, Tool
from colophon.acts import Step as RecordedStep
from colophon.errors import InputError
from colophon.evidence import Bundle, Record
from colophon.records import (
    Agreement,
    Seal,
    Source,
    parse_agreement,
    parse_seal,
    parse_source,
)
from colophon.statement import read_statement
from colophon.steps import parse_step


@dataclass(frozen=True)
class Act:
    """One step without its words.

    Attributes:
        digest: hex SHA-256 of the step's envelope.
        inputs: (relation, SHA-256 of the file), in their order.
        outputs: SHA-256 of each file that it made.
        started_on, finished_on: by the actor's clock, never believed.
    """

    digest: str
    action: str
    source_type: str | None
    actor: Actor
    tool: Tool
    model: Model | None
    inputs: tuple[tuple[str, bytes], ...]
    outputs: tuple[bytes, ...]
    started_on: datetime
    finished_on: datetime


@dataclass(frozen=True)
class Pedigree:
    """A work's seal, its acts in the order of the seal, its sources, its agreement.

    ``evidence`` names the evidence that it was read from (SHA-256, no verdict in it);
    ``agreement`` is the newest one, None when there is none.
    """

    evidence: bytes
    seal: Seal
    seal_digest: str
    acts: tuple[Act, ...]
    sources: tuple[Source, ...]
    agreement: Agreement | None


def pedigree_of(bundle: Bundle) -> Pedigree:
    """Read the records of a bundle; no signature or proof is checked.

    Raises:
        InputError: it has no seal, or a record is malformed.
    """
    sealed = bundle.one("seal")
    if sealed is None:
        raise InputError("has no seal", "bundle")
    seal = parse_seal(_statement(sealed))
    steps = {one.envelope.digest: one for one in bundle.of("step")}
    agreements = [parse_agreement(_statement(one)) for one in bundle.of("agreement")]
    return Pedigree(
        evidence=bundle.evidence_digest,
        seal=seal,
        seal_digest=sealed.envelope.digest.hex(),
        acts=tuple(_act(steps[digest]) for digest in seal.steps if digest in steps),
        sources=tuple(parse_source(_statement(one)) for one in bundle.of("source")),
        agreement=max(agreements, key=lambda one: one.version, default=None),
    )


def _statement(record: Record) -> dict[str, Any]:
    return read_statement(record.envelope.payload)


def _act(record: Record) -> Act:
    step: RecordedStep = parse_step(_statement(record))
    return Act(
        digest=record.envelope.digest.hex(),
        action=step.action,
        source_type=step.source_type,
        actor=step.actor,
        tool=step.tool,
        model=step.model,
        inputs=tuple((one.relation, one.sha256) for one in step.inputs),
        outputs=tuple(one.sha256 for one in step.outputs),
        started_on=step.started_on,
        finished_on=step.finished_on,
    )
