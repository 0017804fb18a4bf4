"""The photographs that figures are told of: enough, distinct, in two sets apart."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import photographs


def test_both_sets_are_large_and_share_nothing() -> None:
    rows = photographs.listed()
    sets = {name: [r for r in rows if r.set == name] for name in photographs.SETS}
    assert sum(map(len, sets.values())) == len(rows)
    assert all(len(each) >= 60 for each in sets.values())
    assert len({r.sha256 for r in rows}) == len(rows)
    assert len({(r.set, r.name) for r in rows}) == len(rows)
    assert all(r.version and r.license and len(r.sha256) == 64 for r in rows)


def test_no_folder_gives_to_both_sets() -> None:
    """Near views of one thing lie in one folder, and so in one set."""
    rows = photographs.listed()
    folders = {
        n: {r.path.partition(":")[0] for r in rows if r.set == n}
        for n in photographs.SETS
    }
    assert not folders["tuning"] & folders["test"]


def _resource_file(version: int) -> bytes:
    names = b"".join(
        struct.pack(">HI", len(n), 0) + n.encode("utf-16-be") for n in ("a", "b.jpg")
    )
    tail = b"" if version == 1 else bytes(8)
    tree = struct.pack(">IHII", 0, 2, 1, 1) + tail
    tree += struct.pack(">IHII", 0, 2, 1, 2) + tail
    tree += struct.pack(">IHHHI", 8, 0, 0, 0, 0) + tail
    data = struct.pack(">I", 5) + b"bytes"
    head = 24 if version == 3 else 20
    places = (head, head + len(tree), head + len(tree) + len(data))
    return (
        struct.pack(">4s4I", b"qres", version, *places)
        + bytes(head - 20)
        + tree
        + data
        + names
    )


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_resource_file_is_read(version: int) -> None:
    assert photographs.resources(_resource_file(version)) == {"a/b.jpg": b"bytes"}


def test_another_file_is_refused() -> None:
    with pytest.raises(SystemExit, match="no Qt resource file"):
        photographs.resources(b"RIFF" + bytes(40))
