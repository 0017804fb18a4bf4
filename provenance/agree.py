"""Who is paid when the work earns: propose an agreement, and accept it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.keys import signer_for
from accounts.models import Holder, Party
from accounts.platform import platform_party, platform_signer
from colophon import records, statement
from colophon.keys import Signer
from log.append import append
from outbox.enqueue import enqueue
from provenance import license_terms
from provenance.envelopes import envelope_of
from provenance.errors import AgreementError, NotReadyError
from provenance.models import Acceptance, Agreement, AgreementPart, Asset
from provenance.shares import Part, check_sum

Method = Acceptance.Method


def propose_agreement(*, asset: Asset, parts: Sequence[Part], by: Party) -> Agreement:
    """A new version of who gets what; licenses keep the version they were sold with.

    The proposer accepts with its account key, every owner whose standing asks are
    met accepts by them, and the platform accepts its fee. Others are waited for, and
    the part of an owner who has not come forward is reserved.

    Args:
        asset: sealed.
        parts: all of them, fee and sources included; they sum to 1,000,000 ppm.

    Writes: Agreement, AgreementPart, Acceptance, Entry, Job. Lock: the Asset row.

    Raises:
        AgreementError: wrong sum, or nobody but the fee.
        NotReadyError: not sealed yet.
    """
    check_sum(parts)
    if not any(part.role == AgreementPart.Role.CREATOR for part in parts):
        raise AgreementError("names no creator", "parts")
    signer = signer_for(by)
    with transaction.atomic(durable=True):
        asset = Asset.objects.select_for_update().get(pk=asset.pk)
        if not hasattr(asset, "seal"):
            raise NotReadyError("the work is not sealed yet; try again in a moment")
        newest = asset.agreements.order_by("-version").first()
        agreement = _write(asset, parts, newest.version + 1 if newest else 1, signer)
        _accept_what_is_given(agreement, parts, by, signer)
        enqueue(
            "asset.judge",
            key=f"judge:{asset.code}:agreement:{agreement.version}",
            payload={"asset": asset.pk, "entry": _newest_entry(agreement)},
        )
    return agreement


def accept_agreement(*, agreement: Agreement, party: Party) -> Acceptance:
    """A holder's party says yes with its account key.

    Writes: Acceptance, Entry, Job. Lock: unique (agreement, holder).

    Raises:
        AgreementError: the party holds no part of it.
    """
    holder = party.holder
    if not agreement.parts.filter(holder=holder).exists():
        raise AgreementError("gives you no part; there is nothing to accept")
    if existing := agreement.acceptances.filter(holder=holder).first():
        return existing
    signer = signer_for(party)
    try:
        with transaction.atomic(durable=True):
            accepted = _accept(agreement, holder, Method.ACCOUNT_KEY, signer)
            said = f"{agreement.version}:{holder.pk}"
            enqueue(
                "asset.judge",
                key=f"judge:{agreement.asset.code}:accepted:{said}",
                payload={"asset": agreement.asset_id, "entry": accepted.entry_id},
            )
    except IntegrityError:
        # Another request was quicker.
        return agreement.acceptances.get(holder=holder)
    return accepted


def _newest_entry(agreement: Agreement) -> int:
    """The last of its records: when the log covers it, it covers all."""
    entries = agreement.acceptances.values_list("entry", flat=True)
    return max(agreement.entry_id, *entries)


def _write(
    asset: Asset, parts: Sequence[Part], version: int, signer: Signer
) -> Agreement:
    fee = sum(part.ppm for part in parts if part.role == AgreementPart.Role.PLATFORM)
    agreement = Agreement(asset=asset, version=version, fee_ppm=fee)
    envelope = statement.sign(
        records.agreement(
            agreement_id=agreement.code,
            asset=asset.code,
            file=bytes(asset.seal.file_digest),
            version=version,
            fee_ppm=fee,
            parts=[
                records.Part(
                    holder=part.holder.code,
                    role=part.role,
                    ppm=part.ppm,
                    source=part.source.code if part.source else None,
                    reserved=part.holder.party_id is None and part.ppm > 0,
                )
                for part in parts
            ],
            proposed_at=timezone.now(),
            terms=license_terms.DIGEST,
        ),
        signer,
    )
    agreement.digest = envelope.digest
    agreement.entry = append("agreement", envelope.to_json())
    agreement.save()
    AgreementPart.objects.bulk_create(
        AgreementPart(
            agreement=agreement,
            holder=part.holder,
            role=part.role,
            source=part.source,
            ppm=part.ppm,
            position=position,
        )
        for position, part in enumerate(parts)
    )
    return agreement


def _accept_what_is_given(
    agreement: Agreement, parts: Sequence[Part], by: Party, signer: Signer
) -> None:
    """Acceptances that need nobody's hand: fee, proposer, met standing asks."""
    platform = platform_party().holder
    by_holder: dict[Holder, list[Part]] = {}
    for part in parts:
        by_holder.setdefault(part.holder, []).append(part)
    for holder, theirs in by_holder.items():
        if holder.pk == platform.pk:
            _accept(agreement, holder, Method.ACCOUNT_KEY, platform_signer())
        elif holder.party_id == by.pk:
            _accept(agreement, holder, Method.ACCOUNT_KEY, signer)
        elif all(_asks_no_more(part) for part in theirs):
            # One record: it names one ask, and covers the same owner's others.
            ask = theirs[0]
            _accept(agreement, holder, Method.STANDING_ASK, platform_signer(), ask)


def _asks_no_more(part: Part) -> bool:
    source = part.source
    return (
        source is not None
        and source.owner_signed
        and source.ask_ppm is not None
        and part.ppm >= source.ask_ppm
    )


def _accept(
    agreement: Agreement,
    holder: Holder,
    method: str,
    signer: Signer,
    part: Part | None = None,
) -> Acceptance:
    source = part.source if part and method == Method.STANDING_ASK else None
    envelope = statement.sign(
        records.acceptance(
            agreement_digest=bytes(agreement.digest),
            holder=holder.code,
            method=method,
            source=envelope_of(source.entry).digest if source else None,
            accepted_at=timezone.now(),
        ),
        signer,
    )
    return Acceptance.objects.create(
        agreement=agreement,
        holder=holder,
        method=method,
        entry=append("acceptance", envelope.to_json()),
    )
