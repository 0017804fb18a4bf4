"""Hold settlements and payments against the chain: what was committed, what was paid.

A file can be consistent in itself and still tell of roots that nobody committed, or of
payments that nobody made. The node is one that you chose; the ledger and its code are
those of your trust file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from colophon.digest import keccak256
from colophon.errors import CouldNotCheck
from colophon.hops import Hops
from colophon.statement_file import Payment, Settled
from colophon.trust import Chain, Trust
from colophon.units import format_units

Call = Callable[[str, list[Any]], Any]

COMMITTED = keccak256(b"Committed(uint32,uint64,bytes32,bytes32,bytes32,uint64,uint32)")
VETOED = keccak256(b"Vetoed(uint32)")
PAID = keccak256(b"Paid(uint256,address,uint256)")
CLAIMED = keccak256(b"claimed(uint256)")[:4]
ON_CHAIN = ("committed", "matured", "vetoed")
_WORD = 32
_COMMITTED_WORDS = 6
_NAME = "chain"


@dataclass(frozen=True)
class Told:
    """What a file tells of the chain.

    Attributes:
        position: the holder's place in the tree; None: they were never paid.
    """

    settled: Sequence[Settled]
    payouts: Sequence[Payment]
    position: int | None


@dataclass(frozen=True)
class _Log:
    """One event of a ledger: its topics, and its data in words."""

    ledger: str
    topics: tuple[bytes, ...]
    words: tuple[bytes, ...]


def ask_ledger(call: Call, trust: Trust, told: Told, hops: Hops) -> None:
    """Compare settlements and payments with the ledger of a trusted chain.

    Args:
        call: JSON-RPC, `call(method, params)`; raises CouldNotCheck.
        trust: names the chains, the ledgers and their code.
        told: as the file tells it.
        hops: takes the results.
    """
    try:
        known = _ledgers(call, trust, hops)
        if not known:
            return
        ledgers = _Ledgers(call, known)
        for one in told.settled:
            _check_settled(ledgers, one, hops)
        _check_payouts(ledgers, told.payouts, told.position, hops)
    except CouldNotCheck as error:
        hops.unreachable(_NAME, f"The chain could not be asked: {error}.")


def _ledgers(call: Call, trust: Trust, hops: Hops) -> tuple[str, ...]:
    """Addresses on the node's chain that hold the code which is trusted there.

    There may be several: a new version of the contract is a new address, and the old
    one stays payable.
    """
    there = _number(call("eth_chainId", []))
    chains = [one for one in trust.chains if one.chain_id == there]
    if not chains:
        known = ", ".join(str(one.chain_id) for one in trust.chains) or "none"
        words = f"The node is of chain {there}; your trust file names {known}."
        hops.unreachable(_NAME, words)
        return ()
    good = [one for one in chains if _has_code(call, one)]
    if not good:
        places = ", ".join(one.ledger for one in chains)
        words = f"The contract at {places} is not the one that you trust."
        hops.failed(_NAME, words)
    return tuple(one.ledger.lower() for one in good)


def _has_code(call: Call, chain: Chain) -> bool:
    code = _bytes(call("eth_getCode", [chain.ledger, "latest"]))
    return keccak256(code) == chain.code_hash


@dataclass(frozen=True)
class _Ledgers:
    """The trusted ledgers of a chain, asked through one node."""

    call: Call
    addresses: tuple[str, ...]

    def logs_of(self, tx_hash: str) -> list[_Log] | None:
        """The ledger's events of a transaction; None: no such one, or it failed.

        Raises:
            CouldNotCheck: the node's answer is none.
        """
        found = self.call("eth_getTransactionReceipt", [tx_hash])
        if found is None:
            return None
        if not isinstance(found, dict):
            raise _odd("receipt")
        if _number(found.get("status")) != 1:
            return None
        return self._mine(found.get("logs"))

    def commits(self, epoch: int) -> list[_Log]:
        """The commits of a settlement, wherever they are."""
        topics = ["0x" + COMMITTED.hex(), "0x" + epoch.to_bytes(_WORD, "big").hex()]
        place = {"fromBlock": "0x0", "toBlock": "latest", "topics": topics}
        asked = {**place, "address": list(self.addresses)}
        return self._mine(self.call("eth_getLogs", [asked]))

    def is_vetoed(self, ledger: str, epoch: int) -> bool:
        """Whether a settlement of a ledger was vetoed."""
        topics = ["0x" + VETOED.hex(), "0x" + epoch.to_bytes(_WORD, "big").hex()]
        place = {"fromBlock": "0x0", "toBlock": "latest", "address": ledger}
        found = self.call("eth_getLogs", [{**place, "topics": topics}])
        return bool(self._mine(found))

    def claimed(self, position: int) -> int:
        """Units that a place in the trees was paid so far."""
        data = "0x" + (CLAIMED + position.to_bytes(_WORD, "big")).hex()
        answers = (
            self.call("eth_call", [{"to": one, "data": data}, "latest"])
            for one in self.addresses
        )
        return sum(int.from_bytes(_bytes(one), "big") for one in answers)

    def _mine(self, logs: Any) -> list[_Log]:
        if not isinstance(logs, list):
            raise _odd("list of events")
        found = [_log(one) for one in logs if isinstance(one, dict)]
        return [one for one in found if one.ledger in self.addresses]


def _check_settled(ledgers: _Ledgers, told: Settled, hops: Hops) -> None:
    """The commit that the file names says the same roots, total, size and count."""
    name = f"settlement {told.epoch}"
    if told.state not in ON_CHAIN:
        hops.note(_NAME, f"{name.capitalize()} is not on the chain yet.")
        return
    logs = ledgers.logs_of(told.tx_hash) if told.tx_hash else None
    topics = (COMMITTED, told.epoch.to_bytes(_WORD, "big"))
    mine = [one for one in logs or [] if one.topics == topics]
    # Anybody may have sent the roots that count, in a transaction of their own.
    mine = mine or ledgers.commits(told.epoch)
    found = next((one for one in mine if len(one.words) == _COMMITTED_WORDS), None)
    if found is None:
        hops.failed(_NAME, f"The chain has no commit of {name}.")
        return
    if wrong := list(_differences(told, found.words)):
        hops.failed(_NAME, f"The commit of {name} is another one.", *wrong)
        return
    if ledgers.is_vetoed(found.ledger, told.epoch) is not (told.state == "vetoed"):
        said = "was not vetoed" if told.state == "vetoed" else "was vetoed"
        hops.failed(_NAME, f"{name.capitalize()} {said}; the file says {told.state}.")
        return
    words = f"The chain has the roots of {name}, and its "
    hops.passed(_NAME, f"{words}{format_units(told.earned_units)} earned so far.")


def _differences(told: Settled, words: Sequence[bytes]) -> Iterable[str]:
    size, _, earnings, spend, earned, count = words
    numbers = (
        ("log size", told.log_size, size),
        ("earned units", told.earned_units, earned),
        ("count", told.count, count),
    )
    for what, said, there in numbers:
        if said != int.from_bytes(there, "big"):
            yield f"{what}: {int.from_bytes(there, 'big')} there, {said} in the file"
    roots = (
        ("earnings root", told.earnings_root, earnings),
        ("spend root", told.spend_root, spend),
    )
    for what, root, there in roots:
        if root != there:
            yield f"{what}: 0x{there.hex()} there, 0x{root.hex()} in the file"


def _check_payouts(
    ledgers: _Ledgers, payouts: Sequence[Payment], position: int | None, hops: Hops
) -> None:
    """Each payment has an event of its own, and the contract counts no fewer units."""
    made = [one for one in payouts if one.state == "paid"]
    if position is None:
        if made:
            hops.failed(_NAME, "The file names payments, but no place in the tree.")
        return
    events: dict[str, list[_Log]] = {}
    for one in made:
        if one.tx_hash not in events:
            found = ledgers.logs_of(one.tx_hash) if one.tx_hash else None
            events[one.tx_hash] = found or []
        mine = next((e for e in events[one.tx_hash] if _pays(e, one, position)), None)
        amount = format_units(one.units)
        if mine is None:
            words = f"The chain has no payment of {amount} to {one.account} "
            hops.failed(_NAME, f"{words}in {one.tx_hash or 'any block'} ({one.id}).")
            continue
        events[one.tx_hash].remove(mine)  # one event pays one payout
        hops.passed(_NAME, f"The chain has the payment of {amount} ({one.id}).")
    _check_claimed(ledgers, sum(one.units for one in made), position, hops)


def _check_claimed(ledgers: _Ledgers, told: int, position: int, hops: Hops) -> None:
    there = ledgers.claimed(position)
    if there < told:
        words = f"The contract paid {format_units(there)} so far, the file says "
        hops.failed(_NAME, f"{words}{format_units(told)}.")
    elif there > told:
        more = format_units(there - told)
        words = f"The contract paid {more} that this file does not list."
        hops.note(_NAME, words)


def _pays(event: _Log, told: Payment, position: int) -> bool:
    """Whether an event is `Paid(position, account, units)`."""
    account = bytes.fromhex(told.account.removeprefix("0x"))
    topics = (PAID, position.to_bytes(_WORD, "big"), account.rjust(_WORD, b"\0"))
    return event.topics == topics and event.words == (
        told.units.to_bytes(_WORD, "big"),
    )


def _log(said: dict[str, Any]) -> _Log:
    topics = said.get("topics")
    if not isinstance(topics, list):
        raise _odd("event")
    data = _bytes(said.get("data"))
    words = (data[at : at + _WORD] for at in range(0, len(data), _WORD))
    ledger = str(said.get("address")).lower()
    return _Log(ledger, tuple(_bytes(one) for one in topics), tuple(words))


def _number(value: Any) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError) as error:
        raise _odd("number") from error


def _bytes(value: Any) -> bytes:
    try:
        return bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError as error:
        raise _odd("hex") from error


def _odd(wanted: str) -> CouldNotCheck:
    return CouldNotCheck(_NAME, f"the node answered no {wanted}")
