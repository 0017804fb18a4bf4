"""`colophon dataset build | prove | check`: is my picture in that data set?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from colophon.cli_output import Screen
from colophon.dataset import MAX_BYTES, Dataset, ItemProof, Items, check_proof
from colophon.digest import canonical, from_hex
from colophon.errors import InputError, ProofError
from colophon.filedigest import bytes_digest

DESCRIPTION, ITEMS, PROOF = ".dataset.json", ".items", ".proof.json"
EXIT_IN, EXIT_BROKEN, EXIT_OUT = 0, 1, 2
HEX_DIGITS = 64


def add_parser(subparsers: Any) -> None:
    """Add the command and its parts."""
    parser = subparsers.add_parser("dataset", help="say what is in a data set")
    parts = parser.add_subparsers(title="commands", dest="part", required=True)
    _add_build(parts)
    _add_prove(parts)
    _add_check(parts)


def _add_build(parts: Any) -> None:
    build = parts.add_parser(
        "build",
        help="make the description to register, and the list to keep",
        description="Hash every file of the folders and files that you name. Writes"
        " NAME.dataset.json, whose SHA-256 you register, and NAME.items, which you"
        " keep. No file leaves this machine.",
    )
    build.add_argument("sources", nargs="*", type=Path, metavar="FOLDER|FILE")
    build.add_argument("--digests", type=Path, help="a list of SHA-256, one a line")
    build.add_argument("--name", required=True)
    build.add_argument("--version", default="1")
    build.add_argument("-o", "--output", type=Path, default=Path(), metavar="FOLDER")
    build.set_defaults(run=run_build)


def _add_prove(parts: Any) -> None:
    prove = parts.add_parser(
        "prove",
        help="prove that a file is in a data set, or that it is not",
        description="For who has the list of items. The proof tells at most two other"
        " items' digests.",
    )
    prove.add_argument("dataset", type=Path, metavar="NAME.dataset.json")
    prove.add_argument("item", metavar="FILE|SHA256")
    prove.add_argument("--items", type=Path, help="NAME.items, if not beside it")
    prove.add_argument("-o", "--output", type=Path, help="FILE.proof.json otherwise")
    prove.set_defaults(run=run_prove)


def _add_check(parts: Any) -> None:
    check = parts.add_parser(
        "check",
        help="check a proof about a file",
        description="Needs the description of the data set, the proof, and your file"
        " or its SHA-256. Nobody is asked. Ends with 0 if the file is in the data"
        " set, 2 if it is not, 1 if the proof does not hold.",
    )
    check.add_argument("dataset", type=Path, metavar="NAME.dataset.json")
    check.add_argument("proof", type=Path, metavar="PROOF")
    check.add_argument("item", metavar="FILE|SHA256")
    check.add_argument("--json", action="store_true", help="answer in JSON")
    check.set_defaults(run=run_check)


def run_build(arguments: argparse.Namespace) -> int:
    """Describe a data set."""
    if not arguments.sources and not arguments.digests:
        raise InputError("name a folder, files, or --digests", "FOLDER")
    found = [bytes_digest(path) for path in _files(arguments.sources)]
    if arguments.digests:
        found += _listed(arguments.digests)
    items = Items(found)
    made = items.describe(name=arguments.name, version=arguments.version)
    base = _base(arguments.output, arguments.name)
    _write(Path(f"{base}{DESCRIPTION}"), made.to_bytes())
    _write(Path(f"{base}{ITEMS}"), items.to_bytes())
    screen = Screen(sys.stdout)
    screen.line(f"{base}{DESCRIPTION}", "strong")
    screen.row("Items", f"{made.count:,} of {len(found):,} files, each once")
    screen.row("Root", made.root.hex())
    screen.row("Register", f"{made.digest.hex()} (SHA-256 of the description)")
    return 0


def run_prove(arguments: argparse.Namespace) -> int:
    """Write a proof."""
    made = _described(arguments.dataset)
    beside = Path(str(arguments.dataset).removesuffix(DESCRIPTION) + ITEMS)
    items = Items.from_bytes(_read(arguments.items or beside))
    proof = items.prove(made, _digest(arguments.item))
    place = arguments.output or Path(f"{Path(arguments.item).name}{PROOF}")
    _write(place, canonical(proof.to_json()))
    word = "is in" if proof.is_member else "is not in"
    Screen(sys.stdout).line(f"{place}: {arguments.item} {word} {made.name}")
    return EXIT_IN if proof.is_member else EXIT_OUT


def run_check(arguments: argparse.Namespace) -> int:
    """Check a proof about a file in hand."""
    made = _described(arguments.dataset)
    proof = ItemProof.from_json(_read(arguments.proof, MAX_BYTES))
    item = _digest(arguments.item)
    why = ""
    try:
        is_in = check_proof(made, proof, item)
        code = EXIT_IN if is_in else EXIT_OUT
    except ProofError as error:
        code, why = EXIT_BROKEN, str(error)
    _tell(arguments, made, code, why)
    return code


def _tell(arguments: argparse.Namespace, made: Dataset, code: int, why: str) -> None:
    screen = Screen(sys.stdout)
    if arguments.json:
        answer = {EXIT_IN: "in", EXIT_OUT: "not_in", EXIT_BROKEN: "broken"}[code]
        dataset = made.digest.hex()
        told = {"v": 1, "answer": answer, "dataset": dataset, "why": why, "exit": code}
        screen.json(told)
        return
    words = {
        EXIT_IN: f"is in {made.name} {made.version}.",
        EXIT_OUT: f"is not in {made.name} {made.version}.",
        EXIT_BROKEN: f"cannot be told: {why}.",
    }[code]
    screen.line(f"{arguments.item} {words}", "bad" if code == EXIT_BROKEN else "")
    screen.row("Data set", f"{made.digest.hex()}, {made.count:,} items")


# ---------------------------------------------------------------------------- files


def _files(sources: list[Path]) -> Iterator[Path]:
    """Every file that is named or lies in a folder; links are not followed."""
    for source in sources:
        if source.is_dir():
            inner = (one for one in source.rglob("*") if not one.is_symlink())
            yield from (one for one in sorted(inner) if one.is_file())
        else:
            yield source


def _listed(place: Path) -> list[bytes]:
    """Digests of a text file, one a line."""
    try:
        lines = _read(place).decode("ascii").split()
    except UnicodeDecodeError as error:
        raise InputError("is no list of SHA-256 digests", "--digests") from error
    return [
        from_hex(line, 32, f"--digests line {number}")
        for number, line in enumerate(lines, 1)
    ]


def _digest(item: str) -> bytes:
    """The digest that is named, or that of the file."""
    if len(item) == HEX_DIGITS and not Path(item).exists():
        return from_hex(item, 32, "SHA256")
    return bytes_digest(Path(item))


def _described(place: Path) -> Dataset:
    return Dataset.from_bytes(_read(place, MAX_BYTES))


def _read(place: Path, limit: int = 0) -> bytes:
    try:
        with place.open("rb") as stream:
            data = stream.read(limit + 1 if limit else -1)
    except OSError as error:
        raise InputError(f"{place.name}: {error.strerror}", "file") from error
    if limit and len(data) > limit:
        raise InputError(f"{place.name}: is over {limit:,} bytes", "file")
    return data


def _write(place: Path, data: bytes) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    except OSError as error:
        raise InputError(f"{place}: {error.strerror}", "output") from error


def _base(folder: Path, name: str) -> Path:
    """Where the files go: the name, as far as it can be a file's name."""
    safe = "".join(one if one.isalnum() or one in "-._" else "-" for one in name)
    return folder / (safe.strip(".-") or "dataset")
