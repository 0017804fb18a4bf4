"""Append one entry to the log, in the transaction of the business row it records.

The entry waits as a pending row; the sequencer gives it an index. A sealed entry
shows the log a salted digest only. Source: docs/evidence-format.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection

from colophon.digest import SEAL_SALT_BYTES, new_salt
from colophon.entry import PUBLIC_KINDS, entry_leaf, public_entry, sealed_entry
from colophon.errors import InputError
from colophon.statement import Envelope
from log.errors import NotInTransactionError
from log.models import Entry


def append(kind: str, envelope: Mapping[str, Any], *, public: bool = False) -> Entry:
    """Append one entry inside the caller's transaction.

    Args:
        kind: one of `colophon.entry.KINDS`.
        envelope: the record, as `Envelope.to_json()` gives it.
        public: says that the whole world may read the envelope; must be what the
            kind is, so that nothing becomes public by a wrong word.

    Returns:
        The pending row; `index` is None until the sequencer has run.

    Writes: Entry. Lock: none.

    Raises:
        NotInTransactionError: there is no transaction.
        InputError: unknown kind, a kind that is not what `public` says, a malformed
            envelope, or an entry of more than 65,535 bytes.
    """
    if not connection.in_atomic_block:
        raise NotInTransactionError(
            f"append {kind} inside the transaction that writes its business row"
        )
    if public != (kind in PUBLIC_KINDS):
        told, right = ("public", "sealed") if public else ("sealed", "public")
        raise InputError(f"{kind} entries are {right}, not {told}", "public")
    record = Envelope.from_json(dict(envelope))
    salt = None if public else new_salt(SEAL_SALT_BYTES)
    data = sealed_entry(kind, salt, record) if salt else public_entry(kind, record)
    return Entry.objects.create(
        kind=kind,
        data=data,
        leaf_hash=entry_leaf(data),
        envelope=record.to_json(),
        salt=salt,
    )
