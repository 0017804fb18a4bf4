"""`colophon trust fetch URL`: pin whom you trust on first use, refuse silent change."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from colophon import trust
from colophon.cli_output import Screen
from colophon.cli_verify import home, load_trust
from colophon.client import Client, fetch_trust
from colophon.errors import TrustError
from colophon.trust import Trust

EXIT_CHANGED = 1


def add_parser(subparsers: Any) -> None:
    """Add the command and its parts."""
    parser = subparsers.add_parser("trust", help="choose whom you trust")
    parts = parser.add_subparsers(title="commands", dest="part", required=True)
    fetch = parts.add_parser(
        "fetch",
        help="pin a site's trust file on first use",
        description="Fetch a site's trust file. The first one is kept and its"
        " fingerprints are shown: compare them with what the site says elsewhere."
        " A later one that differs is refused until you accept it by name.",
    )
    fetch.add_argument("url", metavar="URL", help="the site, or its trust.json")
    fetch.add_argument("-o", "--output", type=Path, help="where to keep it")
    fetch.add_argument(
        "--accept",
        metavar="FINGERPRINT",
        default="",
        help="accept a changed trust file with this fingerprint",
    )
    fetch.set_defaults(run=run_fetch)
    show = parts.add_parser("show", help="show the fingerprints of a trust file")
    show.add_argument("--trust", type=Path, help="your trust file (trust.json)")
    show.set_defaults(run=run_show)


def run_fetch(arguments: argparse.Namespace) -> int:
    """Fetch, show, and keep what is new or accepted."""
    place: Path = arguments.output or home() / "trust.json"
    with Client() as client:
        fetched = Trust.from_json(fetch_trust(client, arguments.url))
    screen = Screen(sys.stdout)
    if not place.exists():
        _keep(fetched, place)
        screen.line(f"Pinned on first use: {fetched.origin}", "good")
        _show(screen, fetched)
        screen.line("Compare these with what the site shows elsewhere.")
        return 0
    pinned = trust.load(place)
    if pinned.digest == fetched.digest:
        screen.line(f"Unchanged: {fetched.origin}", "good")
        return 0
    return _changed(screen, pinned, fetched, place, arguments.accept)


def _changed(
    screen: Screen, pinned: Trust, fetched: Trust, place: Path, accept: str
) -> int:
    """Keep a changed trust file only when its fingerprint was given."""
    name = dict(fetched.fingerprints())["trust file"]
    if accept.replace(" ", "") == name.replace(" ", ""):
        _keep(fetched, place)
        screen.line("Accepted the changed trust file.", "good")
        _show(screen, fetched)
        return 0
    screen.line("The site's trust file changed; yours was kept.", "bad")
    before, after = set(pinned.fingerprints()), set(fetched.fingerprints())
    for what, text in sorted(before - after):
        screen.row(f"- {what}", text)
    for what, text in sorted(after - before):
        screen.row(f"+ {what}", text)
    screen.line(f'If you know why, run it again with --accept "{name}"')
    return EXIT_CHANGED


def run_show(arguments: argparse.Namespace) -> int:
    """Show whom a trust file names."""
    found = load_trust(arguments.trust)
    screen = Screen(sys.stdout)
    if found is None:
        raise TrustError("you have no trust file; run colophon trust fetch URL")
    _show(screen, found)
    return 0


def _keep(found: Trust, place: Path) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        trust.save(found, place)
    except OSError as error:
        raise TrustError(f"{place.name}: {error.strerror}") from error


def _show(screen: Screen, found: Trust) -> None:
    for what, text in found.fingerprints():
        screen.row(what, text)
