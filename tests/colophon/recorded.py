"""A run that is recorded offline, and what the spool then has of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from colophon.disclosure import Disclosure, verify_disclosure
from colophon.recorder import Recording, begin
from colophon.statement import Envelope, read_statement
from colophon.steps import Step, parse_step

NOWHERE = "http://127.0.0.1:9"  # discard: nobody listens there


def offline(home: Path, *, strict: bool = False) -> Recording:
    """A recording whose steps stay on this machine."""
    run = begin("offline", site=NOWHERE, api_key="clp_x", home=home)
    run.strict = strict
    run.pipeline = None if strict else run.pipeline
    return run


def kept(run: Recording) -> list[tuple[Step, dict[str, Any]]]:
    """Each waiting step with its disclosed values, which open what it commits to."""
    found = []
    for _, body in run.spool.waiting(run.id):
        said = read_statement(Envelope.from_json(body["envelope"]).payload)
        values = {}
        for one in map(Disclosure.from_json, body["disclosures"]):
            verify_disclosure(said, one)
            values[one.field.removeprefix("parameters/")] = one.value
        step = parse_step(said)
        assert len(step.commitments) == len(values)
        found.append((step, values))
    return found
