"""Judge the C2PA credential of a file, in a child process and without network.

The answer keeps three facts apart: is the content intact, is the signer known to
you, and is the time proven. Failures are listed from everywhere they hide: the
active manifest, changes since signing in its ingredients, and what earlier
signers recorded. The JSON keys are described in `docs/inspect.md`.

Source: C2PA 2.4 section 15 (validation), section 18.16 (ingredients).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from colophon import child as children
from colophon.credential_codes import is_hard
from colophon.digest import sha256_stream
from colophon.errors import CouldNotCheck, InputError
from colophon.sniff import HEAD_BYTES, sniff

READ_SECONDS = 30.0
UNREADABLE = "The credential could not be read. Ask for the file again."


@dataclass(frozen=True)
class Detail:
    """What the server keeps beyond the published keys."""

    active_manifest: str = ""
    instance_id: str = ""
    title: str = ""
    claim_version: int = 0
    hard_binding_alg: str = ""
    hard_binding: str = ""  # hex
    signature_sha256: str = ""  # of the COSE_Sign1 bytes, hex
    store_sha256: str = ""  # of the whole manifest store, hex
    remote_url: str = ""
    all_actions_included: bool = False
    actions_attributed: bool = False
    actions: list[dict[str, Any]] = field(default_factory=list)
    ingredients: list[dict[str, Any]] = field(default_factory=list)
    assertions: dict[str, Any] = field(default_factory=dict)
    words: str = ""  # the library's own words when it could not read


@dataclass(frozen=True)
class FileFacts:
    """A file from outside, whatever it holds."""

    name: str
    size_bytes: int
    sha256: str
    mime: str


@dataclass(frozen=True)
class Inspection:
    """What one file says about itself, and whether that holds."""

    file: FileFacts
    state: str  # Trusted, Valid, Invalid, none, remote, error
    active_failures: tuple[str, ...] = ()
    delta_failures: tuple[str, ...] = ()
    recorded_failures: tuple[str, ...] = ()
    organization: str | None = None
    common_name: str | None = None
    claimed_at: str | None = None
    proven_at: str | None = None
    source_types: tuple[str, ...] = ()
    manifests: tuple[dict[str, Any], ...] = ()
    origin: str = "UNKNOWN"
    summary: str = ""
    detail: Detail = field(default_factory=Detail)

    @property
    def failures(self) -> tuple[str, ...]:
        """All failure codes, from the three places, each once."""
        every = self.active_failures + self.delta_failures + self.recorded_failures
        return tuple(dict.fromkeys(every))

    @property
    def intact(self) -> bool:
        """True when nothing, here or in the history, speaks against the content."""
        whole = self.state in ("Trusted", "Valid")
        return whole and not any(is_hard(code) for code in self.failures)

    def to_json(self) -> dict[str, Any]:
        """Return the published view (docs/inspect.md)."""
        return {
            "file": {
                "name": self.file.name,
                "bytes": self.file.size_bytes,
                "sha256": self.file.sha256,
                "mime": self.file.mime,
            },
            "c2pa": {
                "present": self.state not in ("none", "error"),
                "state": self.state,
                "failures": {
                    "active": list(self.active_failures),
                    "ingredient_deltas": list(self.delta_failures),
                    "recorded": list(self.recorded_failures),
                },
                "signer": {
                    "organization": self.organization,
                    "common_name": self.common_name,
                },
                "time": {"claimed": self.claimed_at, "proven": self.proven_at},
                "source_types": list(self.source_types),
                "manifests": list(self.manifests),
            },
            "origin": self.origin,
            "summary": self.summary,
        }


def inspect_file(
    path: Path | str,
    trust_anchors: list[str],
    tsa_anchors: list[str],
    child: children.Worker | None = None,
    timeout: float = READ_SECONDS,
) -> Inspection:
    """Inspect a file of any kind.

    Args:
        path: the file; read, never changed.
        trust_anchors: PEM texts of the authorities whose signers you trust.
        tsa_anchors: PEM texts of the time-stamping authorities you trust.
        child: the process to read in; a shared one when absent.
        timeout: wall seconds.

    Returns:
        State "none" when there is no credential, "remote" when it is elsewhere
        (never fetched), "error" when it could not be read.

    Raises:
        InputError: there is no such file.
    """
    place = Path(path).absolute()  # not resolved: a link may lead to itself
    if not place.is_file():
        raise InputError(f"{path} is not a file; name one that exists", "file")
    params = {
        "path": str(place),
        "trust_anchors": trust_anchors,
        "tsa_anchors": tsa_anchors,
    }
    reader = child or children.default()
    try:
        judged = reader.call("colophon.credential_judge:inspect_here", params, timeout)
    except CouldNotCheck as error:
        detail = Detail(words=str(error))
        return Inspection(file_facts(place), "error", summary=UNREADABLE, detail=detail)
    return _from_child(judged)


def _from_child(judged: dict[str, Any]) -> Inspection:
    """Rebuild what the child sent as JSON."""
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in judged.items()
    }
    fields["file"] = FileFacts(**judged["file"])
    fields["detail"] = Detail(**judged["detail"])
    return Inspection(**fields)


def file_facts(path: Path) -> FileFacts:
    """Name, size, SHA-256 and media type by content of a file."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        digest = sha256_stream(stream).hex()
    return FileFacts(path.name, path.stat().st_size, digest, sniff(head, path.name))
