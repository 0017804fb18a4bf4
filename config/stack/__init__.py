"""Start everything on this machine: broker, chain, site, workers, relay.

Used by `make demo`, `make demo-check` and `make story`. Loads no Django: the
processes it starts do.
"""
