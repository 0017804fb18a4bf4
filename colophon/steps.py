"""The step statement: one act by one actor, from inputs to outputs.

Prompt and parameters appear as salted commitments only; salts and values stay with
the actor as disclosures, shown when and to whom the actor wants. Source:
docs/evidence-format.md, "Step"; actions are C2PA 2.4's, source types IPTC's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from colophon.acts import (
    ACTIONS,
    CREATED,
    CUSTODIES,
    KINDS,
    MAX_FILES,
    MAX_INDEX,
    MAX_INTERMEDIATES,
    MAX_NAME,
    MAX_NOTE,
    MAX_PARAMETERS,
    MAX_TOOL,
    OPENED,
    PARENT,
    RELATIONS,
    Actor,
    File,
    Input,
    Model,
    Proxies,
    Step,
    TicketRef,
    Tool,
)
from colophon.disclosure import Disclosure, read_commitment, verify_disclosure
from colophon.errors import InputError
from colophon.fields import MAX_RECORD_BYTES, Fields, format_time
from colophon.origin import NON_EDITORIAL, term_of
from colophon.statement import (
    STEP_TYPE,
    Envelope,
    Json,
    check_statement,
    open_predicate,
    statement,
    subject_of,
)

__all__ = [
    "ACTIONS",
    "Actor",
    "Disclosure",
    "File",
    "Input",
    "Model",
    "Proxies",
    "Step",
    "TicketRef",
    "Tool",
    "build_step",
    "check_size",
    "parse_step",
    "verify_disclosure",
]

_PARAMETER = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def check_size(envelope: Envelope) -> None:
    """Refuse a signed step that a bundle or the log's readers would refuse later.

    Raises:
        InputError: the envelope is over 64 KiB; both sizes are told.
    """
    size = len(envelope.to_bytes())
    if size > MAX_RECORD_BYTES:
        words = f"is {size:,} bytes, a step has at most {MAX_RECORD_BYTES:,}"
        raise InputError(words, "envelope")


def build_step(
    *,
    outputs: Sequence[File],
    action: str,
    actor: Actor,
    tool: Tool,
    started_on: datetime,
    finished_on: datetime,
    run: str,
    index: int,
    custody: str = "client",
    ticket: TicketRef | None = None,
    source_type: str | None = None,
    inputs: Sequence[Input] = (),
    model: Model | None = None,
    prompt: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    proxy: Proxies | None = None,
    note: str | None = None,
) -> tuple[Json, list[Disclosure]]:
    """A step statement, and the disclosures that its maker keeps.

    Args:
        outputs: what the step made, at least one file.
        action: one of ACTIONS.
        actor: whose key signs it.
        tool: the software.
        started_on: the actor's clock, shown and never believed.
        finished_on: not before ``started_on``.
        run: id of the run (``run_…``).
        index: 0-based position in the run.
        custody: ``client`` unless the platform keeps the actor's key.
        ticket: absent for a step that is written down afterwards.
        source_type: IPTC or C2PA digital source type; needed for editorial actions,
            refused for ``c2pa.opened``.
        inputs: files and sources used.
        model: the AI model.
        prompt: kept secret behind a commitment.
        parameters: name and JSON value of each; kept secret the same way.
        proxy: renditions for the origin map.
        note: a few words that are part of the record.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate: Json = {
        "action": action,
        "actor": _plain(vars(actor)),
        "inputs": [_file(one) for one in inputs],
        "tool": vars(tool).copy(),
        "started_on": format_time(started_on, "predicate/started_on"),
        "finished_on": format_time(finished_on, "predicate/finished_on"),
        "run": run,
        "custody": custody,
        "index": index,
    }
    optional = {
        "digitalSourceType": source_type,
        "model": model and _plain({"digest": _sha(model.sha256), "name": model.name}),
        "proxy": proxy and _proxy(proxy),
        "ticket": ticket
        and {"nonce": ticket.nonce.hex(), "digest": _sha(ticket.digest)},
        "note": note,
    }
    disclosures = _commit(predicate, prompt, parameters or {})
    made = statement(
        [subject_of(one.name, one.sha256) for one in outputs],
        STEP_TYPE,
        predicate | _plain(optional),
    )
    parse_step(made)
    return made, disclosures


def parse_step(value: Mapping[str, Any]) -> Step:
    """Check a step statement completely.

    Raises:
        InputError: names the field as a pointer, like
            ``predicate/inputs/0/digest/sha256``.
    """
    fields = open_predicate(value, STEP_TYPE)
    action = fields.choice("action", ACTIONS)
    step = Step(
        outputs=_outputs(value),
        action=action,
        source_type=_source_type(fields, action),
        actor=_actor(fields.object("actor")),
        inputs=tuple(_input(one) for one in fields.objects("inputs", limit=MAX_FILES)),
        model=_model(fields.object("model")) if fields.has("model") else None,
        commitments=_commitments(fields),
        tool=_tool(fields.object("tool")),
        started_on=fields.time("started_on"),
        finished_on=fields.time("finished_on"),
        proxy=_proxies(fields.object("proxy")) if fields.has("proxy") else None,
        run=fields.identifier("run"),
        ticket=_ticket(fields.object("ticket")) if fields.has("ticket") else None,
        custody=fields.choice("custody", CUSTODIES),
        index=fields.integer("index", 0, MAX_INDEX),
        note=fields.maybe_text("note", limit=MAX_NOTE),
    )
    fields.close()
    _check_whole(step, fields)
    return step


def _outputs(value: Mapping[str, Any]) -> tuple[File, ...]:
    """The subjects of a step."""
    return tuple(
        File(one.text("name", limit=MAX_NAME), one.sha256("digest"))
        for one in check_statement(value).objects("subject", limit=MAX_FILES)
    )


def _source_type(fields: Fields, action: str) -> str | None:
    """The source type, there exactly when the action calls for one."""
    where = fields.at("digitalSourceType")
    found = fields.maybe_text("digitalSourceType")
    if found is None:
        if action not in NON_EDITORIAL:
            raise InputError(f"is missing; {action} needs a source type", where)
        return None
    if action == OPENED:
        raise InputError(f"is not allowed with {OPENED}", where)
    term = term_of(found)
    if term is None or term.uri != found or term.retired:
        raise InputError("is not a current IPTC or C2PA digital source type", where)
    return found


def _actor(fields: Fields) -> Actor:
    actor = Actor(
        fields.hexadecimal("key_id").hex(),
        fields.choice("kind", KINDS),
        fields.maybe_identifier("on_behalf_of"),
    )
    fields.close()
    return actor


def _input(fields: Fields) -> Input:
    found = Input(
        fields.text("name", limit=MAX_NAME),
        fields.sha256("digest"),
        fields.choice("relation", RELATIONS),
    )
    fields.close()
    return found


def _model(fields: Fields) -> Model:
    model = Model(fields.sha256("digest"), fields.maybe_text("name", limit=MAX_NAME))
    fields.close()
    return model


def _tool(fields: Fields) -> Tool:
    tool = Tool(
        fields.text("name", limit=MAX_TOOL), fields.text("version", limit=MAX_TOOL)
    )
    fields.close()
    return tool


def _ticket(fields: Fields) -> TicketRef:
    ticket = TicketRef(fields.hexadecimal("nonce"), fields.sha256("digest"))
    fields.close()
    return ticket


def _proxies(fields: Fields) -> Proxies:
    proxies = Proxies(
        _pairs(fields, "inputs"),
        _pairs(fields, "outputs"),
        tuple(
            _only_digest(one)
            for one in fields.objects("intermediates", limit=MAX_INTERMEDIATES)
        ),
    )
    fields.close()
    return proxies


def _pairs(fields: Fields, key: str) -> tuple[tuple[bytes, bytes], ...]:
    """Digests of files and of their proxies."""
    found = []
    for one in fields.objects(key, limit=MAX_FILES):
        found.append((one.sha256("of"), one.sha256("digest")))
        one.close()
    return tuple(found)


def _only_digest(fields: Fields) -> bytes:
    digest = fields.sha256("digest")
    fields.close()
    return digest


def _commitments(fields: Fields) -> dict[str, bytes]:
    """The commitments of prompt and parameters, by field."""
    found = {}
    if fields.has("prompt"):
        found["prompt"] = read_commitment(fields, "prompt")
    if fields.has("parameters"):
        inner = fields.object("parameters")
        names = inner.keys()
        if len(names) > MAX_PARAMETERS:
            raise InputError(f"has more than {MAX_PARAMETERS} names", inner.path)
        for name in names:
            _check_parameter(name, inner.path)
            found[f"parameters/{name}"] = read_commitment(inner, name)
    return found


def _check_whole(step: Step, fields: Fields) -> None:
    """What no single field shows."""
    if step.finished_on < step.started_on:
        raise InputError("is before started_on", fields.at("finished_on"))
    parents = [one for one in step.inputs if one.relation == PARENT]
    if len(parents) > 1:
        raise InputError("has several parentOf, at most one", fields.at("inputs"))
    if step.action == CREATED and parents:
        raise InputError("has a parentOf, but was created", fields.at("inputs"))
    if step.action == OPENED and not parents:
        raise InputError("has no parentOf, but was opened", fields.at("inputs"))
    if step.proxy is None:
        return
    for name, pairs, files in (
        ("inputs", step.proxy.inputs, step.inputs),
        ("outputs", step.proxy.outputs, step.outputs),
    ):
        if {of for of, _ in pairs} - {one.sha256 for one in files}:
            raise InputError("is not of this step", fields.at(f"proxy/{name}"))


def _commit(
    predicate: Json, prompt: str | None, parameters: Mapping[str, Any]
) -> list[Disclosure]:
    """Put commitments into the predicate; returns what opens them."""
    disclosures = []
    if prompt is not None:
        disclosures.append(Disclosure.new("prompt", prompt))
        predicate["prompt"] = disclosures[-1].commit()
    hidden = {}
    for name, value in parameters.items():
        _check_parameter(name, "predicate/parameters")
        disclosures.append(Disclosure.new(f"parameters/{name}", value))
        hidden[name] = disclosures[-1].commit()
    if hidden:
        predicate["parameters"] = hidden
    return disclosures


def _check_parameter(name: str, path: str) -> None:
    if _PARAMETER.fullmatch(name) is None:
        raise InputError("is not a name of letters, digits and _.-", path)


def _plain(data: Mapping[str, Any]) -> Json:
    """The members that are there."""
    return {key: value for key, value in data.items() if value is not None}


def _sha(digest: bytes) -> Json:
    return {"sha256": digest.hex()}


def _file(one: Input) -> Json:
    return {"name": one.name, "digest": _sha(one.sha256), "relation": one.relation}


def _proxy(proxy: Proxies) -> Json:
    """The proxy object; empty lists are left out."""
    pairs = {
        name: [{"of": _sha(of), "digest": _sha(digest)} for of, digest in some]
        for name, some in (("inputs", proxy.inputs), ("outputs", proxy.outputs))
        if some
    }
    if proxy.intermediates:
        pairs["intermediates"] = [{"digest": _sha(one)} for one in proxy.intermediates]
    return pairs
