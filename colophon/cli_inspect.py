"""`colophon inspect FILE`: what the C2PA credential in a file says, and if it holds."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from colophon.cli_output import Screen
from colophon.credential import Inspection, inspect_file
from colophon.credential_codes import meaning
from colophon.errors import InputError
from colophon.origin import OriginClass, words
from colophon.plaintext import clock
from colophon.report import EXIT_UNREADABLE

MAX_PEM_BYTES = 4 * 1024 * 1024
_EXITS = {"Trusted": 0, "Valid": 4, "Invalid": 1, "none": 2, "remote": 2}


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "inspect",
        help="show what the Content Credential in a file says",
        description="Show the C2PA state of a file, every code, its signer, its time"
        " and what it says of its origin. Nothing is fetched.",
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--trust-anchors", nargs="+", type=Path, default=[], metavar="PEM"
    )
    parser.add_argument(
        "--tsa-anchors", nargs="+", type=Path, default=[], metavar="PEM"
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Inspect one file."""
    found = inspect_file(
        arguments.file, _pems(arguments.trust_anchors), _pems(arguments.tsa_anchors)
    )
    screen = Screen(sys.stdout)
    if arguments.json:
        screen.json(found.to_json())
    else:
        _show(screen, found)
    if found.state in {"Trusted", "Valid"} and not found.intact:
        return _EXITS["Invalid"]
    return _EXITS.get(found.state, EXIT_UNREADABLE)


def _pems(paths: list[Path]) -> list[str]:
    """The certificates of PEM files.

    Raises:
        InputError: a file cannot be read or holds no PEM.
    """
    found = []
    for path in paths:
        try:
            with path.open(encoding="ascii", errors="replace") as stream:
                text = stream.read(MAX_PEM_BYTES)
        except OSError as error:
            raise InputError(f"{path.name}: {error.strerror}", "anchors") from error
        if "-----BEGIN CERTIFICATE-----" not in text:
            raise InputError(f"{path.name} holds no certificate in PEM", "anchors")
        found.append(text)
    return found


def _show(screen: Screen, found: Inspection) -> None:
    """The credential in words."""
    screen.line(found.file.name, "strong")
    screen.line(f"  {found.summary}")
    screen.row("State", found.state)
    if found.organization or found.common_name:
        names = [one for one in (found.organization, found.common_name) if one]
        screen.row("Signer", ", ".join(names))
    if found.proven_at:
        screen.row("Time", f"{clock(found.proven_at)}, proven by a time-stamp")
    elif found.claimed_at:
        screen.row("Time", f"{clock(found.claimed_at)}, claimed and not proven")
    for uri in found.source_types:
        screen.row("Source type", uri)
    screen.row("Origin", words(OriginClass(found.origin), 0))
    for place, codes in (
        ("in this file", found.active_failures),
        ("in its history, since", found.delta_failures),
        ("in its history, recorded", found.recorded_failures),
    ):
        for code in codes:
            said = meaning(code)
            screen.line(f"  {code} ({place})", "bad")
            screen.line(f"    {said.words} {said.advice}")
    if found.detail.words:
        screen.row("Reader says", found.detail.words)
