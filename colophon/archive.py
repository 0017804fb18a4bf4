"""A deterministic zip of small members, and a reader that nothing can blow up.

Equal members give equal bytes on every machine: sorted names, one fixed date, no
compression. The reader never writes to disk and takes names, counts and sizes from
what it actually read, not from what a header says.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

from colophon.digest import canonical, sha256
from colophon.errors import EvidenceError, InputError
from colophon.fields import Fields, load_json

MANIFEST = "manifest.json"
MAX_ARCHIVE_BYTES = 32 * 1024 * 1024
MAX_MEMBERS = 4096
MAX_MEMBER_BYTES = 1024 * 1024
MAX_TOTAL_BYTES = 64 * 1024 * 1024
MAX_MANIFEST_BYTES = 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can carry
_MODE = 0o100644 << 16
_ENCRYPTED = 0x1
_UNIX = 3
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*")
_MAX_NAME = 120


def manifest_of(kind: str, members: Mapping[str, bytes]) -> bytes:
    """Canonical manifest: every member with its size and SHA-256."""
    rows = [
        {"name": name, "size": len(data), "sha256": sha256(data).hex()}
        for name, data in sorted(members.items())
    ]
    return canonical({"v": 1, "type": kind, "members": rows})


def pack(kind: str, members: Mapping[str, bytes]) -> bytes:
    """Zip members under a manifest; the same members give the same bytes.

    Args:
        kind: what the archive is, named in its manifest.
        members: content by name, like ``steps/000.json``.

    Raises:
        InputError: a name or a size that `unpack` would refuse.
    """
    for name, data in members.items():
        _check_name(name)
        if len(data) > MAX_MEMBER_BYTES:
            raise InputError(f"is over {MAX_MEMBER_BYTES} bytes", name)
    if len(members) >= MAX_MEMBERS:
        raise InputError(f"are more than {MAX_MEMBERS}", "members")
    whole = {**members, MANIFEST: manifest_of(kind, members)}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(whole):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = _UNIX
            info.external_attr = _MODE
            archive.writestr(info, whole[name])
    return target.getvalue()


def unpack(kind: str, data: bytes) -> dict[str, bytes]:
    """The members of an archive, each as its manifest says.

    Raises:
        EvidenceError: no such archive, too large, a name that is not allowed, or
            members that are not exactly those of the manifest.
    """
    if len(data) > MAX_ARCHIVE_BYTES:
        raise EvidenceError(f"bundle is over {MAX_ARCHIVE_BYTES} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = _read_all(archive)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise EvidenceError(f"bundle is not a readable zip: {error}") from error
    manifest = found.pop(MANIFEST, None)
    if manifest is None:
        raise EvidenceError(f"bundle has no {MANIFEST}")
    _check_manifest(kind, manifest, found)
    return found


def _read_all(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Read each member within the limits."""
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise EvidenceError(f"bundle has more than {MAX_MEMBERS} members")
    found: dict[str, bytes] = {}
    total = 0
    for info in infos:
        content = _read_one(archive, info)
        if info.filename in found:
            raise EvidenceError(f"bundle has {info.filename} twice")
        total += len(content)
        if total > MAX_TOTAL_BYTES:
            raise EvidenceError(f"bundle unpacks to more than {MAX_TOTAL_BYTES} bytes")
        found[info.filename] = content
    return found


def _read_one(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Read one member, never more than the limit, whatever its header says."""
    try:
        _check_name(info.filename)
    except InputError as error:
        raise EvidenceError(f"bundle member name {error.message}") from error
    if info.flag_bits & _ENCRYPTED:
        raise EvidenceError(f"bundle member {info.filename} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise EvidenceError(f"bundle member {info.filename} is packed in a foreign way")
    with archive.open(info) as stream:
        content = stream.read(MAX_MEMBER_BYTES + 1)
    if len(content) > MAX_MEMBER_BYTES:
        raise EvidenceError(f"bundle member {info.filename} is too large")
    return content


def _check_name(name: str) -> None:
    """Only plain relative names: no parent folders, drives or odd characters."""
    if len(name) > _MAX_NAME or _NAME.fullmatch(name) is None:
        raise InputError("is not a plain lowercase name", name[:_MAX_NAME])


def _check_manifest(kind: str, manifest: bytes, found: Mapping[str, bytes]) -> None:
    """Compare members with the manifest, which lists them all in order."""
    try:
        outer = Fields(load_json(manifest, max_bytes=MAX_MANIFEST_BYTES))
        outer.integer("v", 1, 1)
        if outer.text("type") != kind:
            raise EvidenceError(f"bundle is no {kind}")
        rows = {
            one.text("name"): (one.integer("size"), one.hexadecimal("sha256"))
            for one in outer.objects("members", limit=MAX_MEMBERS)
        }
    except InputError as error:
        raise EvidenceError(f"bundle's {MANIFEST}: {error}") from error
    if set(rows) != set(found):
        odd = min(set(rows) ^ set(found))
        raise EvidenceError(f"bundle and its {MANIFEST} disagree about {odd}")
    for name, (size, digest) in rows.items():
        if len(found[name]) != size or sha256(found[name]) != digest:
            raise EvidenceError(f"bundle member {name} is not what {MANIFEST} says")
