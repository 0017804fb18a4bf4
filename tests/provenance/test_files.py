"""Stored bytes: named by their digest, kept once, never overwritten."""

from __future__ import annotations

import io
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from colophon.digest import sha256
from provenance.files import blob_name, digest_of, local_copy, store, store_path


def test_bytes_are_stored_under_their_digest() -> None:
    data = b"some bytes" * 10_000
    digest, size, name = store(io.BytesIO(data))
    assert (digest, size) == (sha256(data), len(data))
    assert name == blob_name(digest) == f"blobs/{digest.hex()[:2]}/{digest.hex()[2:]}"
    with default_storage.open(name) as kept:
        assert kept.read() == data


def test_the_same_bytes_are_kept_once_and_never_overwritten(settings: Any) -> None:
    _, _, name = store(io.BytesIO(b"x"))
    path = Path(default_storage.path(name))
    before = path.stat()
    assert store(io.BytesIO(b"x"))[2] == name
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert stat.S_IMODE(before.st_mode) == 0o600


def test_a_file_is_read_from_its_start_and_rewound() -> None:
    file = io.BytesIO(b"abc")
    file.seek(2)
    assert digest_of(file) == (sha256(b"abc"), 3)
    assert file.tell() == 0


def test_a_local_file_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert store_path(path) == store(io.BytesIO(b"abc"))


def test_a_local_copy_has_the_suffix_and_is_gone_afterwards() -> None:
    _, _, name = store(io.BytesIO(b"abc"))
    with local_copy(name, ".jpg") as path:
        assert path.suffix == ".jpg"
        assert path.read_bytes() == b"abc"
    assert not path.parent.exists()


def test_what_was_never_stored_cannot_be_copied() -> None:
    with pytest.raises(FileNotFoundError), local_copy(blob_name(bytes(32))):
        pass
