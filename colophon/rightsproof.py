"""The agreement about who is paid: shares, terms and acceptances (check 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from colophon.checks import Checklist, Code
from colophon.errors import ColophonError, SignatureError
from colophon.evidence import Bundle, Record
from colophon.keyring import Keyring, platform_statement
from colophon.logview import LogView
from colophon.records import (
    Acceptance,
    Agreement,
    Part,
    Seal,
    parse_acceptance,
    parse_agreement,
    parse_source,
)
from colophon.records.agreements import (
    ACCOUNT_KEY,
    STANDING_ASK,
    acceptance_typed_data,
)
from colophon.statement import Json
from colophon.trust import Trust
from colophon.wallet import SIGNATURE_BYTES, recover, typed_data_digest

PLATFORM = "platform"


@dataclass(frozen=True)
class Rights:
    """What the evidence proves about axis R."""

    terms_hashed: bool = False
    shares_sum: bool = False
    accepted: bool = False
    all_claimed: bool = False


def check_rights(
    bundle: Bundle, log: LogView, ring: Keyring, seal: Seal, checks: Checklist
) -> Rights:
    """Check 11: the newest agreement and everyone's yes to it.

    Only what is in the log counts: the platform let a holder's key speak for that
    holder when it took the record in.
    """
    found = _newest(bundle, log, ring, seal, checks)
    if found is None:
        checks.skipped(11, "The evidence holds no agreement about who is paid.")
        return Rights()
    record, said = found
    digest = record.envelope.digest
    acceptances = _acceptances(bundle, log, ring, digest, checks)
    missing = [
        part.holder
        for part in said.parts
        if part.role != PLATFORM
        and not part.reserved
        and not _accepts(part, acceptances, bundle, ring)
    ]
    reserved = [part for part in said.parts if part.reserved and part.ppm]
    detail = [f"{len(missing)} have not accepted"] if missing else []
    detail += [f"{len(reserved)} parts wait for their owner"] if reserved else []
    words = f"{len(said.parts)} parts sum to exactly 100 %"
    if missing:
        checks.skipped(11, f"{words}; not everyone accepted.", Code.MISSING, *detail)
    else:
        checks.passed(11, f"{words}, and everyone accepted.", *detail)
    return Rights(
        terms_hashed=said.terms is not None,
        shares_sum=True,  # its parser refuses every other sum
        accepted=not missing,
        all_claimed=not reserved,
    )


def _signed(record: Record, trust: Trust, ring: Keyring) -> Json | None:
    """The statement, when the platform or an enrolled key signed it."""
    said = platform_statement(record.envelope, trust)
    if said is None:
        by_key = ring.verify(record.envelope)
        said = by_key[0] if by_key else None
    return said


def _newest(
    bundle: Bundle, log: LogView, ring: Keyring, seal: Seal, checks: Checklist
) -> tuple[Record, Agreement] | None:
    """The agreement of the highest version that is about this asset."""
    found: list[tuple[int, Record, Agreement]] = []
    for record in bundle.of("agreement"):
        try:
            said = _signed(record, log.trust, ring)
            if said is None:
                words = "The evidence does not show whose key signed an agreement."
                checks.skipped(11, words)
                continue
            agreement = parse_agreement(said)
        except ColophonError as error:
            checks.failed(11, f"An agreement does not hold: {error}.")
            continue
        if (agreement.asset, agreement.file) != (seal.asset, seal.file):
            checks.failed(11, "An agreement is about another work.")
            continue
        if log.place(record) is not None:
            found.append((agreement.version, record, agreement))
    if not found:
        return None
    _, record, agreement = max(found, key=lambda one: one[0])
    return record, agreement


def _acceptances(
    bundle: Bundle, log: LogView, ring: Keyring, digest: bytes, checks: Checklist
) -> Mapping[str, Acceptance]:
    """Valid acceptances of one agreement, by holder."""
    found = {}
    for record in bundle.of("acceptance"):
        try:
            by_platform = platform_statement(record.envelope, log.trust)
            by_key = None if by_platform else ring.verify(record.envelope)
            said = by_platform or (by_key[0] if by_key else None)
            if said is None or log.place(record) is None:
                continue  # by nobody known, or never taken in: it accepts nothing
            acceptance = parse_acceptance(said)
        except ColophonError as error:
            checks.failed(11, f"An acceptance does not hold: {error}.")
            continue
        if odd := _odd_wallet(acceptance):
            checks.failed(11, odd)
            continue
        own = acceptance.method == ACCOUNT_KEY
        by_account = by_key is not None and by_key[1].enrollment.purpose == "account"
        if acceptance.agreement == digest and (by_account if own else by_platform):
            found[acceptance.holder] = acceptance
    return found


def _odd_wallet(acceptance: Acceptance) -> str:
    """What is wrong with a wallet's signature; "" when nothing is.

    A contract wallet's signature is longer and only the chain can judge it: the
    platform asked when it passed it on.
    """
    signature = acceptance.signature
    if signature is None or len(signature) != SIGNATURE_BYTES:
        return ""
    data = acceptance_typed_data(
        agreement_digest=acceptance.agreement,
        holder=acceptance.holder,
        wallet=acceptance.wallet or "",
        chain_id=acceptance.chain_id or 0,
    )
    try:
        signer = recover(typed_data_digest(data), signature)
    except SignatureError as error:
        return f"An acceptance does not hold: {error}."
    if signer != acceptance.wallet:
        return f"An acceptance is not signed by the wallet {acceptance.wallet}."
    return ""


def _accepts(
    part: Part,
    acceptances: Mapping[str, Acceptance],
    bundle: Bundle,
    ring: Keyring,
) -> bool:
    """Whether the holder of a part said yes to it."""
    acceptance = acceptances.get(part.holder)
    if acceptance is None:
        return False
    if acceptance.method != STANDING_ASK:
        return True
    return _within_ask(part, acceptance, bundle.of("source"), ring)


def _within_ask(
    part: Part, acceptance: Acceptance, sources: Sequence[Record], ring: Keyring
) -> bool:
    """Whether the source's standing ask covers the part: it gives at least as much.

    The acceptance names one ask of the owner; another source of the same account is
    covered by its own.
    """
    asks: list[tuple[str, bool, bool]] = []  # account, is named, covers the part
    for record in sources:
        try:
            signed = ring.verify(record.envelope)
            source = parse_source(signed[0]) if signed else None
        except ColophonError:
            continue  # it asks nothing
        if signed is None or source is None or source.ask_ppm is None:
            continue
        named = record.envelope.digest == acceptance.source
        covers = source.source == part.source and part.ppm >= source.ask_ppm
        asks.append((signed[1].account, named, covers))
    owners = {account for account, named, _ in asks if named}
    return any(covers and account in owners for account, _, covers in asks)
