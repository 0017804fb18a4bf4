"""Records that come before a work: tickets, sources, the log's own key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from colophon.errors import InputError
from colophon.fields import Fields, format_time
from colophon.note import Checkpoint, NoteKey
from colophon.records.shape import (
    MAX_TERMS,
    about_file,
    about_itself,
    check_self,
    only_subject,
    plain,
)
from colophon.statement import (
    CHECKPOINT_KEY_TYPE,
    SOURCE_TYPE,
    TICKET_TYPE,
    Json,
    open_predicate,
)
from colophon.units import PPM

NONCE_BYTES = 32
SOURCE_KINDS = ("model", "dataset", "media")
# Training uses as CAWG names them (cawg.training-mining v1.1).
TRAINING_USES = (
    "cawg.ai_generative_training",
    "cawg.ai_inference",
    "cawg.ai_training",
    "cawg.data_mining",
)
PERMISSIONS = ("allowed", "notAllowed", "constrained")


@dataclass(frozen=True)
class Ticket:
    """What a run gets before its first step: it cannot have begun earlier.

    Attributes:
        checkpoint: newest log head when issued; None for the log's first run.
    """

    run: str
    nonce: bytes
    checkpoint: Checkpoint | None
    issued_at: datetime
    party: str


def ticket(
    *,
    run: str,
    nonce: bytes,
    checkpoint: Checkpoint | None,
    issued_at: datetime,
    party: str,
) -> Json:
    """The ticket statement, signed by the platform.

    Raises:
        InputError: names the field that is wrong.
    """
    head = checkpoint and {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }
    predicate: Json = {
        "run": run,
        "nonce": nonce.hex(),
        "checkpoint": head,
        "issued_at": format_time(issued_at),
        "party": party,
    }
    made = about_itself(run, TICKET_TYPE, plain(predicate))
    parse_ticket(made)
    return made


def parse_ticket(value: Mapping[str, Any]) -> Ticket:
    """Check a ticket statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, TICKET_TYPE)
    found = Ticket(
        fields.identifier("run"),
        fields.hexadecimal("nonce", NONCE_BYTES),
        _head(fields.object("checkpoint")) if fields.has("checkpoint") else None,
        fields.time("issued_at"),
        fields.identifier("party"),
    )
    fields.close()
    check_self(value)
    return found


@dataclass(frozen=True)
class Source:
    """A registered model, data set or medium, and its owner's standing ask.

    Attributes:
        owner: party that owns it; None when nobody has claimed it.
        ask_ppm: the owner accepts every agreement that gives at least this.
        license: address or text of its terms.
        training: permission for each training use.
    """

    source: str
    kind: str
    name: str
    version: str
    digest: bytes
    owner: str | None
    ask_ppm: int | None
    license: str | None
    training: Mapping[str, str]


def source(
    *,
    source_id: str,
    kind: str,
    name: str,
    digest: bytes,
    version: str = "",
    owner: str | None = None,
    ask_ppm: int | None = None,
    license_terms: str | None = None,
    training: Mapping[str, str] | None = None,
) -> Json:
    """The source statement, signed by who registers it.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "source": source_id,
        "kind": kind,
        "name": name,
        "version": version or None,
        "owner": owner,
        "ask_ppm": ask_ppm,
        "license": license_terms or None,
        "training": dict(training) if training else None,
    }
    made = about_file(name, digest, SOURCE_TYPE, plain(predicate))
    parse_source(made)
    return made


def parse_source(value: Mapping[str, Any]) -> Source:
    """Check a source statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, SOURCE_TYPE)
    found = Source(
        source=fields.identifier("source"),
        kind=fields.choice("kind", SOURCE_KINDS),
        name=fields.text("name", limit=160),
        version=fields.maybe_text("version", limit=40) or "",
        digest=only_subject(value),
        owner=fields.maybe_identifier("owner"),
        ask_ppm=fields.integer("ask_ppm", 0, PPM) if fields.has("ask_ppm") else None,
        license=fields.maybe_text("license", limit=MAX_TERMS),
        training=_training(fields),
    )
    fields.close()
    if found.ask_ppm is not None and found.owner is None:
        raise InputError("is only for an owner to set", fields.at("ask_ppm"))
    return found


@dataclass(frozen=True)
class CheckpointKey:
    """A key that signs the log's checkpoints."""

    key: NoteKey
    valid_from: datetime


def checkpoint_key(*, vkey: str, valid_from: datetime) -> Json:
    """The statement that names the log's key; signed by that key.

    Raises:
        InputError: the verifier key is malformed.
    """
    predicate = {"vkey": vkey, "valid_from": format_time(valid_from)}
    made = about_itself("checkpoint-key", CHECKPOINT_KEY_TYPE, predicate)
    parse_checkpoint_key(made)
    return made


def parse_checkpoint_key(value: Mapping[str, Any]) -> CheckpointKey:
    """Check a checkpoint-key statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, CHECKPOINT_KEY_TYPE)
    vkey = fields.text("vkey")
    found = CheckpointKey(NoteKey.from_vkey(vkey), fields.time("valid_from"))
    fields.close()
    check_self(value)
    return found


def _head(fields: Fields) -> Checkpoint:
    """The checkpoint that a ticket names."""
    head = Checkpoint(
        fields.text("origin"), fields.integer("size"), fields.hexadecimal("root")
    )
    fields.close()
    head.to_body()
    return head


def _training(fields: Fields) -> dict[str, str]:
    """Permission for each training use; an absent map is empty."""
    if not fields.has("training"):
        return {}
    inner = fields.object("training")
    for key in inner.keys():  # noqa: SIM118 - Fields is no mapping
        if key not in TRAINING_USES:
            raise InputError("is not a training use", inner.at(key[:64]))
    return {key: inner.choice(key, PERMISSIONS) for key in inner.keys()}  # noqa: SIM118
