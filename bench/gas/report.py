"""The table of gas figures, and the page that keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks-gas.md"
BEGIN = "<!-- figures: written by bench/gas/run.py --write -->"
END = "<!-- end of figures -->"


@dataclass(frozen=True)
class Row:
    """One measured transaction; `per` is how many it served."""

    name: str
    gas: int
    per: int = 1


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| call | gas | each |", "|---|---:|---:|"]
    for row in rows:
        each = f"{row.gas / row.per:,.0f}" if row.per > 1 else ""
        lines.append(f"| {row.name} | {row.gas:,} | {each} |")
    return "\n".join(lines)


def write(rows: list[Row], version: str, hardfork: str) -> None:
    """Put the table between the marks of docs/benchmarks-gas.md."""
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    _, mark, tail = rest.partition(END)
    if not mark:
        raise SystemExit(f"{PAGE.name} has lost its marks {BEGIN} and {END}")
    body = f"{BEGIN}\n\nNode: {version}, hardfork {hardfork}.\n\n{table(rows)}\n\n{END}"
    PAGE.write_text(head + body + tail)
