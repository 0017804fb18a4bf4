"""Which keys may act: enrollments and revocations, proven from the log.

A key counts from its enrollment's place in the log on. It was taken in by an account
key, and an account's first key by the platform; following that line up to its
beginning tells whose account a key belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from colophon import enrollment as enrollments
from colophon.enrollment import Enrollment
from colophon.errors import ColophonError
from colophon.evidence import Record
from colophon.statement import Envelope, Json, read_statement, verify
from colophon.trust import Trust

MAX_LINE = 8
Place = Callable[[Record], int | None]


@dataclass(frozen=True)
class Enrolled:
    """A key in the log: what it may do, where its entry stands, whose it is."""

    enrollment: Enrollment
    index: int
    account: str


class Keyring:
    """The enrolled keys of a bundle."""

    def __init__(
        self, records: Iterable[Record], trust: Trust, place: Place, as_of: datetime
    ) -> None:
        """Collect the keys whose enrollment is in the log and taken in.

        Args:
            records: enrollment and revocation records; others are passed over.
            trust: names the platform keys.
            place: the proven log index of a record, None when it has none.
            as_of: revocations that take effect later do not count yet.
        """
        every = list(records)
        self._trust = trust
        self._known = _enrolled(every, trust, place)
        self._revoked = self._revocations(every, as_of)

    def get(self, key_id: str) -> Enrolled | None:
        """The enrolled key of an id."""
        return self._known.get(key_id)

    def revoked_by(self, key_id: str, moment: datetime | None) -> bool:
        """Whether a key no longer counted at a moment; unknown time counts as late."""
        effective = self._revoked.get(key_id)
        if effective is None:
            return False
        return moment is None or effective <= moment

    def verify(self, envelope: Envelope) -> tuple[Json, Enrolled] | None:
        """The statement and signer of an envelope that an enrolled key signed.

        Raises:
            ColophonError: an enrolled key's signature is wrong, or no statement.
        """
        for signature in envelope.signatures:
            known = self._known.get(signature.keyid)
            if known is not None:
                return verify(envelope, known.enrollment.public_spki), known
        return None

    def _revocations(
        self, records: Iterable[Record], as_of: datetime
    ) -> dict[str, datetime]:
        """When each key stopped counting, by the earliest revocation that holds."""
        found: dict[str, datetime] = {}
        for record in records:
            if record.kind != "revocation":
                continue
            try:
                said = enrollments.parse_revocation(
                    read_statement(record.envelope.payload)
                )
                self._check_revoker(record.envelope, said.key_id)
            except ColophonError:
                continue  # not by somebody who may: it revokes nothing
            if said.effective_on <= as_of:
                earlier = found.get(said.key_id, said.effective_on)
                found[said.key_id] = min(earlier, said.effective_on)
        return found

    def _check_revoker(self, envelope: Envelope, key_id: str) -> None:
        """Only the platform, the account, or the key itself may revoke a key."""
        by_platform = platform_statement(envelope, self._trust)
        if by_platform is not None:
            return
        target = self._known.get(key_id)
        signed = self.verify(envelope)
        if target is None or signed is None or signed[1].account != target.account:
            raise ColophonError("revocation is not by the key's account")


def platform_statement(envelope: Envelope, trust: Trust) -> Json | None:
    """The statement of an envelope that a trusted platform key signed.

    Returns:
        None when no platform key of the trust file is among its signers.

    Raises:
        SignatureError: a platform key is named, but its signature is wrong.
        InputError: the payload is no statement.
    """
    for signature in envelope.signatures:
        key = trust.platform_key(signature.keyid)
        if key is not None:
            return verify(envelope, key.spki)
    return None


def _enrolled(
    records: Iterable[Record], trust: Trust, place: Place
) -> dict[str, Enrolled]:
    """Keys that are in the log and whose line ends at a platform key."""
    shaped: dict[str, tuple[Enrollment, Record, int]] = {}
    for record in records:
        if record.kind != "enrollment":
            continue
        index = place(record)
        try:
            said = enrollments.open_enrollment(record.envelope)
        except ColophonError:
            continue  # the key's owner never signed it: it enrolls nothing
        if index is not None and said.key_id not in shaped:
            shaped[said.key_id] = (said, record, index)
    found = {}
    for key_id, (said, _, index) in shaped.items():
        account = _account_of(key_id, shaped, trust)
        if account is not None:
            found[key_id] = Enrolled(said, index, account)
    return found


def _account_of(
    key_id: str, shaped: Mapping[str, tuple[Enrollment, Record, int]], trust: Trust
) -> str | None:
    """Key id of the account's first key, or None when the line does not hold."""
    for _ in range(MAX_LINE):
        said, record, _ = shaped[key_id]
        if not said.account:
            return key_id if _by_platform(record.envelope, trust) else None
        above = shaped.get(said.account)
        if above is None or above[0].purpose != "account" or said.account == key_id:
            return None
        try:
            enrollments.check_taken_in(record.envelope, above[0].public_spki)
        except ColophonError:
            return None
        key_id = said.account
    return None


def _by_platform(envelope: Envelope, trust: Trust) -> bool:
    try:
        return platform_statement(envelope, trust) is not None
    except ColophonError:
        return False
