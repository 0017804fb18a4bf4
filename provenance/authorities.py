"""The certificates this deployment signs files with and trusts when reading."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings

from colophon.authority import Authorities, make_authorities


@cache
def authorities() -> Authorities:
    """The claim and time-stamp trees; test ones are made on first use."""
    return make_authorities(Path(settings.AUTHORITIES_DIR))


def claim_roots() -> list[str]:
    """PEM texts of the roots that claim signers are judged by."""
    return [authorities().claim.root.read_text(encoding="ascii")]


def tsa_roots() -> list[str]:
    """PEM texts of the roots that time-stamps are judged by."""
    if settings.TSA_ROOTS:
        return [Path(settings.TSA_ROOTS).read_text(encoding="ascii")]
    return [authorities().tsa.root.read_text(encoding="ascii")]
