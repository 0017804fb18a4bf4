"""The chain as a wallet in a browser wants it, to ask its owner to switch to it."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from chain.read import facts
from marketplace import testpay


def wallet_chain() -> dict[str, Any]:
    """`{"chain": EIP-3085 parameters}`; empty before deployment.

    The address of our node may hold a secret, so it is given in the demo alone; a
    wallet knows public chains by itself.
    """
    found = facts()
    if found is None:
        return {}
    chain: dict[str, Any] = {
        "chainId": hex(found.chain_id),
        "chainName": found.name.capitalize(),
        "nativeCurrency": {"name": "Ether", "symbol": "ETH", "decimals": 18},
    }
    if testpay.is_open():
        chain["rpcUrls"] = settings.CHAIN_RPC_URLS[:1]
    return {"chain": chain}
