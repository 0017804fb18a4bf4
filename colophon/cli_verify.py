"""`colophon verify FILE…`: is this file what its record says, and who says so."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from colophon import filedigest, filematch, live, trust
from colophon.archive import MAX_ARCHIVE_BYTES
from colophon.checks import Result
from colophon.cli_output import Screen
from colophon.client import Client, Rpc, fetch_bundle, fetch_similar
from colophon.credential import inspect_file
from colophon.errors import (
    ColophonError,
    CouldNotCheck,
    EvidenceError,
    InputError,
    TrustError,
)
from colophon.evidence import Bundle
from colophon.fields import parse_time
from colophon.filematch import CredentialFacts, FileDigests
from colophon.report import (
    EXIT_UNREACHABLE,
    EXIT_UNREADABLE,
    Outcome,
    Report,
    worst_exit,
)
from colophon.trust import Trust
from colophon.verify import verify, with_live

BUNDLE_SUFFIX = ".colophon"
_STYLE = {Outcome.GENUINE: "good", Outcome.ALTERED: "bad"}


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "verify",
        help="check files against their records",
        description="Check files against their evidence. Evidence is taken from"
        " --bundle, from FILE.colophon beside the file or, unless --offline, from"
        " the site that your trust file names. It learns the file's SHA-256 and, where"
        " it has no record of that, a fingerprint of how the picture looks.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--bundle", type=Path, help="the evidence bundle (.colophon)")
    parser.add_argument("--trust", type=Path, help="your trust file (trust.json)")
    parser.add_argument("--rpc", metavar="URL", help="a node to ask about the anchor")
    parser.add_argument("--offline", action="store_true", help="ask nobody")
    parser.add_argument("--as-of", metavar="TIME", help="like 2026-11-23T12:00:00Z")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    trust: Trust | None
    bundle: Path | None
    rpc: str | None
    offline: bool
    as_of: datetime
    now: datetime


def home() -> Path:
    """The folder for trust and kept checkpoints: COLOPHON_HOME or ~/.colophon."""
    given = os.environ.get("COLOPHON_HOME")
    return Path(given) if given else Path.home() / ".colophon"


def load_trust(given: Path | None) -> Trust | None:
    """The trust file that was named, else the pinned one, else none.

    Raises:
        TrustError: the named file cannot be read.
        InputError: it is malformed.
    """
    if given is not None:
        return trust.load(given)
    pinned = home() / "trust.json"
    return trust.load(pinned) if pinned.exists() else None


def run(arguments: argparse.Namespace) -> int:
    """Verify every file; the exit code is the worst one."""
    if arguments.offline and arguments.rpc:
        raise InputError("cannot be asked together with --offline", "--rpc")
    now = datetime.now(UTC).replace(microsecond=0)
    as_of = parse_time(arguments.as_of, "--as-of") if arguments.as_of else now
    asked = Asked(
        trust=load_trust(arguments.trust),
        bundle=arguments.bundle,
        rpc=arguments.rpc,
        offline=arguments.offline,
        as_of=as_of,
        now=now,
    )
    screen = Screen(sys.stdout)
    answers = [_answer(path, asked) for path in arguments.files]
    code = worst_exit([answer["exit"] for answer in answers])
    if arguments.json:
        files = [
            {key: value for key, value in one.items() if key != "report"}
            for one in answers
        ]
        screen.json({"v": 1, "files": files, "exit": code})
    else:
        for answer in answers:
            _show(screen, answer)
    return code


def _answer(path: Path, asked: Asked) -> dict[str, Any]:
    """Verify one file; what could not be checked is an answer, too."""
    try:
        report = verify_path(path, asked)
    except (CouldNotCheck, TrustError) as error:
        return _could_not(path, str(error), EXIT_UNREACHABLE)
    except ColophonError as error:
        return _could_not(path, str(error), EXIT_UNREADABLE)
    return {"name": path.name, "report": report, **report.to_json()}


def _could_not(path: Path, why: str, code: int) -> dict[str, Any]:
    return {"name": path.name, "error": why, "exit": code}


def verify_path(path: Path, asked: Asked) -> Report:
    """Verify one file on disk.

    Raises:
        InputError: the file cannot be read.
        EvidenceError: its bundle cannot be read.
        CouldNotCheck: the site that should have the evidence cannot be asked.
    """
    file = FileDigests(filedigest.bytes_digest(path))
    roots = asked.trust.c2pa_roots if asked.trust else ()
    stamps = asked.trust.tsa_roots if asked.trust else ()
    seen = CredentialFacts.of(inspect_file(path, list(roots), list(stamps)))
    with Client() as client:
        bundle = _bundle_for(path, file, asked, client)
        report = verify(file, seen, bundle, asked.trust, as_of=asked.as_of)
        if bundle is not None and report.match == filematch.NONE:
            file = filedigest.with_pixels(file, path)
            report = verify(file, seen, bundle, asked.trust, as_of=asked.as_of)
        if report.outcome is Outcome.NO_RECORD:
            similar = _similar_to(path, asked, client)
            report = verify(
                file, seen, None, asked.trust, as_of=asked.as_of, similar=similar
            )
        return _ask_live(report, bundle, asked, client)


def _bundle_for(
    path: Path, file: FileDigests, asked: Asked, client: Client
) -> Bundle | None:
    """The evidence: named, beside the file, or from the site."""
    beside = path.with_name(path.name + BUNDLE_SUFFIX)
    place = asked.bundle or (beside if beside.exists() else None)
    if place is not None:
        return read_bundle(place)
    if asked.offline or asked.trust is None or not asked.trust.site:
        return None
    data = fetch_bundle(client, asked.trust.site, file.sha256)
    return None if data is None else Bundle.from_bytes(data)


def _similar_to(path: Path, asked: Asked, client: Client) -> list[dict[str, Any]]:
    """What the site knows that the picture looks like; nothing when not to be asked."""
    if asked.offline or asked.trust is None or not asked.trust.site:
        return []
    prints = filedigest.looks(path)
    return fetch_similar(client, asked.trust.site, prints) if prints else []


def read_bundle(place: Path) -> Bundle:
    """The bundle in a file on disk.

    Raises:
        EvidenceError: it cannot be read, or is none.
    """
    try:
        with place.open("rb") as stream:
            return Bundle.from_bytes(stream.read(MAX_ARCHIVE_BYTES + 1))
    except OSError as error:
        raise EvidenceError(f"{place.name}: {error.strerror}") from error


def _ask_live(
    report: Report, bundle: Bundle | None, asked: Asked, client: Client
) -> Report:
    """Ask the chain and the site, where that is wanted and makes sense."""
    if bundle is None or asked.trust is None or report.seal is None or asked.offline:
        return report
    items = []
    if asked.rpc:
        items += live.ask_chain(Rpc(client, asked.rpc), bundle, asked.trust)
    if asked.trust.site:
        items += live.ask_site(client, bundle, asked.trust, now=asked.now)
    return with_live(report, items)


def _show(screen: Screen, answer: dict[str, Any]) -> None:
    """One file's answer in words."""
    screen.line(answer["name"], "strong")
    report: Report | None = answer.get("report")
    if report is None:
        screen.line(f"  Could not check: {answer['error']}.", "weak")
        screen.line()
        return
    screen.line(f"  {report.summary}", _STYLE.get(report.outcome, "weak"))
    _show_asset(screen, report)
    for one in report.similar:
        bits = f"{one['bits']} of 256 bits differ"
        screen.row("Looks like", f"{one['title']} ({one['asset']}), {bits}")
    for check in report.checks:
        screen.mark(str(check.number), check.name, check.result, check.words)
        for detail in check.detail:
            screen.line(f"{'':32}{detail}", "faint")
    for item in report.live:
        screen.mark("live", item.id, item.result, item.words)
    screen.line()


def _show_asset(screen: Screen, report: Report) -> None:
    if report.match == filematch.NONE or report.outcome is Outcome.ALTERED:
        return  # nothing about the work may be read as being about this file
    if report.seal is not None and report.check(4).result is Result.PASSED:
        screen.row("Work", f"{report.seal.title} ({report.seal.asset})")
        if report.seal.creator:
            screen.row("By", f"{report.seal.creator} (as declared)")
    if report.proven_at is not None:
        screen.row(
            "Exists since", f"{report.proven_at:%Y-%m-%d %H:%M:%S} UTC or earlier"
        )
    verdict = report.verdict
    if verdict is not None and report.outcome is Outcome.GENUINE:
        levels = f"E{verdict.evidence}, R{verdict.rights}, {verdict.standing}"
        screen.row("Badge", f"{verdict.word} ({levels})")
        screen.row("Origin", verdict.origin_words)
