"""How deep is deep enough: the heights up to which blocks are safe and final.

With CHAIN_FINALITY_TAG the chain itself says so (`safe`, `finalized`); without it
CHAIN_CONFIRMATIONS blocks on top make a block both. anvil's own tag is 64 blocks
behind and is never used.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from chain.blocks import Header
from chain.errors import RpcError
from chain.gateway import Gateway

SAFE_TAG = "safe"


@dataclass(frozen=True)
class Heights:
    """The newest block, and the highest safe and final block numbers (-1: none)."""

    head: Header
    safe: int
    final: int


def heights(gateway: Gateway) -> Heights:
    """The heights now. The head is read last, so that it is never below the others."""
    if not settings.CHAIN_FINALITY_TAG:
        head = gateway.head()
        deep = max(head.number - settings.CHAIN_CONFIRMATIONS, -1)
        return Heights(head, deep, deep)
    final = _number(gateway, settings.CHAIN_FINALITY_TAG)
    safe = _number(gateway, SAFE_TAG)
    return Heights(gateway.head(), max(safe, final), final)


def _number(gateway: Gateway, tag: str) -> int:
    """Height of a tag; -1 while the chain is too young or the node lacks the tag."""
    try:
        header = gateway.header(tag)
    except RpcError:
        return -1
    return header.number if header else -1
