"""Colophon's trust as a library: records, log proofs, policy, verification.

Pure Python: no Django, no database, no chain client. Web page, API and command
line run the same code, so the site has no private truth (docs/adr/0005).
"""

__version__ = "0.1.0"
