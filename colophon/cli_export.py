"""`colophon export FILE|BUNDLE`: a work's record in another standard's format."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from colophon.cli_output import Screen
from colophon.cli_verify import BUNDLE_SUFFIX, read_bundle
from colophon.digest import canonical
from colophon.errors import EvidenceError, InputError
from colophon.evidence import Bundle
from colophon.export_cyclonedx import to_cyclonedx
from colophon.export_intoto import to_intoto
from colophon.export_prov import to_prov_json
from colophon.pedigree import pedigree_of

FORMATS: dict[str, Callable[[Bundle], bytes]] = {
    "prov": lambda bundle: canonical(to_prov_json(pedigree_of(bundle))),
    "cyclonedx": lambda bundle: canonical(to_cyclonedx(pedigree_of(bundle))),
    "in-toto": to_intoto,
}


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "export",
        help="write a work's record for other tools",
        description="Write what the evidence of a file records, for tools that read"
        " PROV-JSON, CycloneDX or in-toto. Reads FILE.colophon beside the file, or a"
        " bundle itself. Nothing is checked and nobody is asked: use `colophon verify`"
        " for that.",
    )
    parser.add_argument("file", type=Path, metavar="FILE|BUNDLE")
    parser.add_argument("--format", required=True, choices=tuple(FORMATS))
    parser.add_argument("-o", "--output", type=Path, help="standard output otherwise")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Export one work."""
    bundle = read_bundle(_place(arguments.file))
    try:
        content = FORMATS[arguments.format](bundle)
    except InputError as error:
        raise EvidenceError(f"bundle: {error}") from error
    if arguments.output is None:
        sys.stdout.buffer.write(content)
        return 0
    try:
        arguments.output.write_bytes(content)
    except OSError as error:
        raise InputError(f"{arguments.output}: {error.strerror}", "-o") from error
    words = f"Wrote {arguments.output}. Nothing in it was checked."
    Screen(sys.stdout).line(words)
    return 0


def _place(path: Path) -> Path:
    """The bundle beside a file, else the file itself."""
    beside = path.with_name(path.name + BUNDLE_SUFFIX)
    return beside if beside.exists() else path
