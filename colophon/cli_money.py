"""`colophon statement check`, `colophon trace` and `colophon usage report`."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from colophon import __version__, statement_check, trace, usage_report
from colophon.cli_output import Screen
from colophon.cli_verify import load_trust
from colophon.client import Client, Rpc, check_url
from colophon.errors import CouldNotCheck, InputError
from colophon.hops import Hops
from colophon.ids import is_id
from colophon.onchain import Told, ask_ledger
from colophon.statement_file import load_statement
from colophon.trace_file import MAX_BYTES, load_trace
from colophon.trust import Trust
from colophon.units import format_units
from colophon.usage_report import RefusedError, Sent

KEY_VARIABLE = "COLOPHON_API_KEY"
SITE_VARIABLE = "COLOPHON_SITE"
TIMEOUT_SECONDS = 60.0
EXIT_REFUSED = 1
SHOWN = 4
_OK = 200
_NOT_FOUND = 404


def add_parser(subparsers: Any) -> None:
    """Add the three commands."""
    _add_statement(subparsers)
    _add_trace(subparsers)
    _add_usage(subparsers)


def _add_statement(subparsers: Any) -> None:
    parser = subparsers.add_parser("statement", help="check what a statement says")
    parts = parser.add_subparsers(title="commands", dest="part", required=True)
    check = parts.add_parser(
        "check",
        help="recompute every figure of a statement",
        description="Recompute splits, prices, totals and proofs of a statement that"
        " you downloaded (JSON). Nobody is asked, unless you name a node with --rpc:"
        " then its roots and payments are held against the chain.",
    )
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--rpc", metavar="URL", help="a node to ask about the chain")
    _add_common(check)
    check.set_defaults(run=run_statement)


def _add_trace(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "trace",
        help="walk from a payout to the first step",
        description="Recompute every hop from a payout to the steps of the works that"
        " earned it, from a downloaded trace or from the site that you name.",
    )
    parser.add_argument("payout", metavar="PAYOUT|FILE", help="pay_… or a trace file")
    parser.add_argument("--site", metavar="URL", help=f"or {SITE_VARIABLE}")
    parser.add_argument("--key", help=f"API key, scope read (or {KEY_VARIABLE})")
    parser.add_argument("--rpc", metavar="URL", help="a node to ask about the chain")
    parser.add_argument("-o", "--output", type=Path, help="keep the trace in a file")
    _add_common(parser)
    parser.set_defaults(run=run_trace)


def _add_usage(subparsers: Any) -> None:
    parser = subparsers.add_parser("usage", help="report uses of licensed works")
    parts = parser.add_subparsers(title="commands", dest="part", required=True)
    report = parts.add_parser(
        "report",
        help="send the uses in a CSV or NDJSON file",
        description="Send uses in batches of 1,000. Running it again with the same"
        " file reports nothing twice.",
    )
    report.add_argument("file", type=Path, metavar="FILE")
    report.add_argument("--site", metavar="URL", help=f"or {SITE_VARIABLE}")
    report.add_argument("--key", help=f"API key, scope report (or {KEY_VARIABLE})")
    report.add_argument(
        "--license", metavar="lic_…", default="", help="for rows that name no license"
    )
    report.add_argument("--dry-run", action="store_true", help="read, do not send")
    report.add_argument("--json", action="store_true", help="answer in JSON")
    report.set_defaults(run=run_usage)


def _add_common(parser: Any) -> None:
    parser.add_argument("--trust", type=Path, help="your trust file (trust.json)")
    parser.add_argument("--json", action="store_true", help="answer in JSON")


def run_statement(arguments: argparse.Namespace) -> int:
    """Check a statement; 0 holds, 1 does not, 10 signer not known, 11 unreachable."""
    trust = load_trust(arguments.trust)
    said = load_statement(_read(arguments.file))
    hops = statement_check.check_statement(said, trust)
    settled = [part.settled for part in said.parts]
    _ask(arguments.rpc, trust, Told(settled, said.payouts, said.position), hops)
    screen = Screen(sys.stdout)
    if arguments.json:
        screen.json(statement_check.summary(said, hops))
        return hops.exit_code
    screen.line(f"Statement of {said.name}", "strong")
    count, total = len(said.lines), sum(line.units for line in said.lines)
    screen.row("Lines", f"{count} in {len(said.parts)} settlements")
    screen.row("Earned", format_units(total))
    _show(screen, hops, "The statement holds: every figure was recomputed.")
    return hops.exit_code


def run_trace(arguments: argparse.Namespace) -> int:
    """Walk a payout; 0 holds, 1 does not, 10 signer not known, 11 unreachable."""
    trust = load_trust(arguments.trust)
    data = _trace_data(arguments)
    if arguments.output:
        arguments.output.write_bytes(data)
    found = load_trace(data)
    now = datetime.now(UTC).replace(microsecond=0)
    hops = trace.check_trace(found, trust, as_of=now)
    told = Told([found.settled], [found.payout], found.position)
    _ask(arguments.rpc, trust, told, hops)
    screen = Screen(sys.stdout)
    if arguments.json:
        screen.json(trace.summary(found, hops))
        return hops.exit_code
    screen.line(f"Payout {found.payout.id}", "strong")
    screen.row("Amount", format_units(found.payout.units))
    screen.row("To", found.payout.account)
    _show(screen, hops, "Every hop holds, from the payment to the first step.")
    return hops.exit_code


def _ask(rpc: str | None, trust: Trust | None, told: Told, hops: Hops) -> None:
    """Hold settlements and payments against the chain, where a node was named."""
    if not rpc:
        return
    if trust is None:
        hops.unknown("chain", "Which ledger to ask about, only a trust file can say.")
        return
    with Client() as client:
        ask_ledger(Rpc(client, rpc).call, trust, told, hops)


def run_usage(arguments: argparse.Namespace) -> int:
    """Report uses; 0 taken, 1 refused, 11 unreachable, 12 unreadable."""
    events = usage_report.read_uses(
        _read(arguments.file),
        name=arguments.file.name,
        license_code=arguments.license,
    )
    total = sum(one["data"]["quantity"] for one in events)
    screen, sent = Screen(sys.stdout), Sent()
    if not arguments.dry_run:
        try:
            sent = usage_report.send_uses(
                events, site=_site(arguments.site), key=_key(arguments.key)
            )
        except RefusedError as error:
            return _refused(error, as_json=arguments.json)
    if arguments.json:
        body = {"v": 1, "events": len(events), "quantity": total, "sent": sent.events}
        screen.json(
            {**body, "new": sent.fresh, "known": sent.known, "batches": sent.batches}
        )
        return 0
    screen.row("Uses", f"{total:,} in {len(events):,} reports")
    if arguments.dry_run:
        screen.line("  Nothing was sent (--dry-run).", "weak")
        return 0
    screen.row("New", f"{sent.fresh:,}", "good")
    screen.row("Known", f"{sent.known:,} were reported before and count once")
    more = " …" * (len(sent.batches) > SHOWN)
    screen.row("Batches", ", ".join(sent.batches[:SHOWN]) + more)
    return 0


def _refused(error: RefusedError, *, as_json: bool) -> int:
    """Say what the site refused, and where in the batch."""
    if as_json:
        errors = [{"pointer": at, "detail": what} for at, what in error.pointers]
        Screen(sys.stdout).json(
            {"v": 1, "refused": str(error), "code": error.code, "errors": errors}
        )
        return EXIT_REFUSED
    screen = Screen(sys.stderr)
    screen.problem(str(error))
    for at, what in error.pointers:
        screen.line(f"  {at}: {what}")
    return EXIT_REFUSED


def _trace_data(arguments: argparse.Namespace) -> bytes:
    """The trace: from the file that is there, else from the site."""
    place = Path(arguments.payout)
    named = is_id(arguments.payout) and arguments.payout.startswith("pay_")
    if not named:
        return _read(place)
    site = _site(arguments.site)
    check_url(site)
    url = f"{site.rstrip('/')}/api/v1/payouts/{arguments.payout}/trace"
    return _fetch(url, _key(arguments.key))


def _fetch(url: str, key: str) -> bytes:
    headers = {
        "Authorization": f"Bearer {key}",
        "User-Agent": f"colophon/{__version__}",
    }
    try:
        answer = httpx.get(url, headers=headers, timeout=TIMEOUT_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        raise CouldNotCheck("trace", f"{url} cannot be reached: {why}") from error
    if answer.status_code == _NOT_FOUND:
        raise CouldNotCheck("trace", "the site has no such payout of yours")
    if answer.status_code != _OK:
        raise CouldNotCheck("trace", f"{url} answered {answer.status_code}")
    if len(answer.content) > MAX_BYTES:
        raise CouldNotCheck("trace", f"the answer is over {MAX_BYTES:,} bytes")
    return answer.content


def _site(given: str | None) -> str:
    """The site: named, or from the environment."""
    site = given or os.environ.get(SITE_VARIABLE, "")
    if not site:
        raise InputError(f"is missing; set {SITE_VARIABLE} or pass --site", "--site")
    return site


def _key(given: str | None) -> str:
    """The API key: named, or from the environment, which no process list shows."""
    key = given or os.environ.get(KEY_VARIABLE, "")
    if not key:
        raise InputError(f"is missing; set {KEY_VARIABLE} or pass --key", "--key")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", path.name) from error


def _show(screen: Screen, hops: Hops, good: str) -> None:
    """The answer first, then each line that was recomputed."""
    if hops.wrong:
        screen.line(f"  It does not hold: {hops.wrong[0].words}", "bad")
    elif hops.unsure:
        screen.line("  Consistent, but not everything could be judged here.", "weak")
    else:
        screen.line(f"  {good}", "good")
    for number, hop in enumerate(hops.found, start=1):
        screen.mark(str(number), hop.id, hop.result, hop.words)
        for detail in hop.detail:
            screen.line(f"{'':32}{detail}", "faint")
