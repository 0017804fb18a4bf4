"""What a file on disk is known by: its bytes, its pixels, and how it looks.

Pictures are decoded in a killable child process; where no decoder is installed, or
the file is no picture, there simply is no pixel digest and no print.
"""

from __future__ import annotations

from pathlib import Path

from colophon import child as children
from colophon.digest import from_hex, sha256_stream
from colophon.errors import ColophonError, InputError
from colophon.filematch import FileDigests

PIXELS_SECONDS = 60.0


def bytes_digest(path: Path) -> bytes:
    """SHA-256 of a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return sha256_stream(stream)
    except OSError as error:
        raise InputError(f"{path.name}: {error.strerror}", "file") from error


def with_pixels(
    file: FileDigests, path: Path, child: children.Worker | None = None
) -> FileDigests:
    """The same digests and those of the decoded pixels, when they can be had."""
    worker = child or children.default()
    params = {"path": str(path.resolve())}
    try:
        found = worker.call("colophon.filedigest:pixels_here", params, PIXELS_SECONDS)
        return FileDigests(file.sha256, from_hex(found))
    except ColophonError:
        return file


def looks(path: Path, child: children.Worker | None = None) -> list[str]:
    """PDQ prints of a picture and of its turns and mirrors (hex) to search with.

    Empty for what is no picture, and where no PDQ is installed.
    """
    worker = child or children.default()
    params = {"path": str(path.resolve())}
    try:
        found = worker.call("colophon.filedigest:looks_here", params, PIXELS_SECONDS)
    except ColophonError:
        return []
    return [str(one) for one in found]


def looks_here(path: str) -> list[str]:
    """The prints of a picture: the child's side.

    Raises:
        InputError: no picture, or no decoder is installed.
    """
    try:
        from colophon import fingerprints, pictures

        picture = pictures.decode(pictures.check(Path(path)))
        found = fingerprints.pdq(pictures.reduction(picture))
    except ImportError as error:
        raise InputError("pictures cannot be decoded here", "file") from error
    return found["asked"] if found else []


def pixels_here(path: str) -> str:
    """Hex digest of a picture's pixels: the child's side.

    Raises:
        InputError: no picture, or no decoder is installed.
    """
    try:
        from colophon import pictures

        return pictures.pixel_digest(pictures.decode(pictures.check(Path(path))))
    except ImportError as error:
        raise InputError("pictures cannot be decoded here", "file") from error
