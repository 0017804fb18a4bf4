"""The words of a step: actions, kinds, relations, limits and its parts.

Actions are those of C2PA 2.4; a step is built and read in ``colophon.steps``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

CREATED = "c2pa.created"
OPENED = "c2pa.opened"
ACTIONS = tuple(
    f"c2pa.{name}"
    for name in (
        "addedText",
        "adjustedColor",
        "changedSpeed",
        "converted",
        "created",
        "cropped",
        "deleted",
        "drawing",
        "dubbed",
        "edited",
        "edited.metadata",
        "enhanced",
        "filtered",
        "mastered",
        "mixed",
        "opened",
        "orientation",
        "placed",
        "published",
        "redacted",
        "remixed",
        "removed",
        "repackaged",
        "resized",
        "resized.proportional",
        "transcoded",
        "translated",
        "trimmed",
        "unknown",
        "watermarked.bound",
        "watermarked.unbound",
    )
)
KINDS = ("human", "agent", "tool")
PARENT = "parentOf"
INPUT = "inputTo"  # a prompt, a model, a reference: no part of what is made
COMPONENT = "componentOf"
RELATIONS = (PARENT, COMPONENT, INPUT)
CUSTODIES = ("client", "server")
MAX_FILES = 64
MAX_PARAMETERS = 64
MAX_INTERMEDIATES = 64
MAX_INDEX = 9_999
MAX_NAME = 160
MAX_TOOL = 80
MAX_NOTE = 280


@dataclass(frozen=True)
class File:
    """A named file by its SHA-256."""

    name: str
    sha256: bytes


@dataclass(frozen=True)
class Input:
    """A file that a step used: parentOf, componentOf or inputTo its output."""

    name: str
    sha256: bytes
    relation: str = PARENT


@dataclass(frozen=True)
class Actor:
    """Who acts: the signing key, what kind, and the party it acts for."""

    key_id: str
    kind: str
    on_behalf_of: str | None = None


@dataclass(frozen=True)
class Model:
    """The AI model at work, by the digest of its registered source."""

    sha256: bytes
    name: str | None = None


@dataclass(frozen=True)
class Tool:
    """The software at work."""

    name: str
    version: str


@dataclass(frozen=True)
class TicketRef:
    """The run's ticket: its nonce and the SHA-256 of its envelope."""

    nonce: bytes
    digest: bytes


@dataclass(frozen=True)
class Proxies:
    """Renditions of at most 512 pixels: (digest of the file, digest of the proxy).

    ``intermediates`` are proxies of the work in progress, in order of time.
    """

    inputs: tuple[tuple[bytes, bytes], ...] = ()
    outputs: tuple[tuple[bytes, bytes], ...] = ()
    intermediates: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Step:
    """A parsed step; commitments by field, ``prompt`` or ``parameters/name``."""

    outputs: tuple[File, ...]
    action: str
    source_type: str | None
    actor: Actor
    inputs: tuple[Input, ...]
    model: Model | None
    commitments: Mapping[str, bytes]
    tool: Tool
    started_on: datetime
    finished_on: datetime
    proxy: Proxies | None
    run: str
    ticket: TicketRef | None
    custody: str
    index: int
    note: str | None
