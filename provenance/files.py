"""Bytes stored once under a name made of their SHA-256; never overwritten."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from django.core.files import File
from django.core.files.storage import default_storage

BLOCK_BYTES = 64 * 1024


def blob_name(digest: bytes) -> str:
    """The storage name of the bytes with this SHA-256."""
    text = digest.hex()
    return f"blobs/{text[:2]}/{text[2:]}"


def digest_of(file: BinaryIO | IO[bytes]) -> tuple[bytes, int]:
    """SHA-256 and size in bytes of a file object, which is rewound."""
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
        size += len(block)
    file.seek(0)
    return digest.digest(), size


def store(file: BinaryIO | IO[bytes]) -> tuple[bytes, int, str]:
    """Keep the bytes; (sha256, size, storage name). The same bytes are kept once."""
    digest, size = digest_of(file)
    name = blob_name(digest)
    if not default_storage.exists(name):
        default_storage.save(name, File(file))
    return digest, size, name


def store_path(path: Path | str) -> tuple[bytes, int, str]:
    """Keep the bytes of a local file."""
    with Path(path).open("rb") as file:
        return store(file)


@contextmanager
def local_copy(name: str, suffix: str = "") -> Iterator[Path]:
    """A local file with the stored bytes, for tools that want a path.

    It lives in a folder of its own that is removed afterwards; with `suffix` its
    name ends so that a tool which looks at extensions is not misled.
    """
    with tempfile.TemporaryDirectory(prefix="colophon-") as folder:
        path = Path(folder) / f"file{suffix}"
        with default_storage.open(name, "rb") as stored, path.open("wb") as copy:
            while block := stored.read(BLOCK_BYTES):
                copy.write(block)
        yield path
