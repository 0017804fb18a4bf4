"""The closed list of effects on the chain: kind to contract, function and role.

A role's key signs the functions of its kinds and nothing else (`chain.keys`).
"""

from __future__ import annotations

from dataclasses import dataclass

from chain.errors import ArgsError

LEDGER = "ColophonLedger"
ASSET = "ColophonAsset"
TOKEN = "Token"  # noqa: S105 - the settlement token's name in Network.contracts

ROLES = ("anchorer", "settler", "relayer", "minter", "guardian", "admin")
DEPLOYER = "deployer"


@dataclass(frozen=True)
class Kind:
    """One effect.

    Attributes:
        contract: name in Network.contracts.
        function: name in that contract's ABI.
        role: whose key signs.
        single: at most one is under way; the next waits for its finality.
        settles: stops while the chain is halted by a deep reorganization.
        patient: a revert in simulation is waited out, because time may cure it.
        bound_late: arguments are chosen at signing (`anchor`: newest checkpoint).
    """

    contract: str
    function: str
    role: str
    single: bool = False
    settles: bool = False
    patient: bool = False
    bound_late: bool = False


KINDS: dict[str, Kind] = {
    "anchor": Kind(LEDGER, "anchor", "anchorer", single=True, bound_late=True),
    "commit": Kind(
        LEDGER, "commit", "settler", single=True, settles=True, patient=True
    ),
    "pay": Kind(LEDGER, "pay", "relayer", settles=True, patient=True),
    "deposit": Kind(LEDGER, "depositWithAuthorization", "relayer"),
    "deposit_permit": Kind(LEDGER, "depositWithPermit", "relayer"),
    "redirect": Kind(LEDGER, "redirect", "relayer"),
    "request_refund": Kind(LEDGER, "requestRefundFor", "relayer"),
    "refund": Kind(LEDGER, "refund", "relayer", settles=True),
    "mint": Kind(ASSET, "mintBatch", "minter"),
    "record": Kind(ASSET, "commit", "minter"),
    "refresh": Kind(ASSET, "refreshMetadata", "minter"),
    "refresh_all": Kind(ASSET, "refreshAllMetadata", "minter"),
    "fund": Kind(TOKEN, "mint", "relayer"),
    "veto": Kind(LEDGER, "veto", "guardian"),
    "pause": Kind(LEDGER, "pause", "guardian"),
    "unpause": Kind(LEDGER, "unpause", "admin"),
    "set_anchorer": Kind(LEDGER, "setAnchorer", "admin"),
    "set_settler": Kind(LEDGER, "setSettler", "admin"),
    "set_guardian": Kind(LEDGER, "setGuardian", "admin"),
    "set_minter": Kind(ASSET, "setMinter", "admin"),
    "set_base_uri": Kind(ASSET, "setBaseURI", "admin"),
    "set_contract_uri": Kind(ASSET, "setContractURI", "admin"),
    "set_royalty": Kind(ASSET, "setRoyalty", "admin"),
}


def kind_of(name: str) -> Kind:
    """The effect of that name.

    Raises:
        ArgsError: there is none.
    """
    if name not in KINDS:
        raise ArgsError(f"{name!r} is not one of {', '.join(sorted(KINDS))}", "kind")
    return KINDS[name]


def allowed(role: str) -> frozenset[tuple[str, str]]:
    """(contract, function) pairs that a role may sign."""
    return frozenset(
        (kind.contract, kind.function) for kind in KINDS.values() if kind.role == role
    )
