"""What differs between sessions, as a table; what is the same in all, folded away beneath it. Every text in it is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tts_explorer.ui.sides import Fact, Side, facts

LONGEST = 300
"""Characters of one value."""


def differences(sides: Sequence[Side]) -> str:
    """The table as HTML; each side's column is headed by its letter and its name, which opens it in Explore."""
    known = facts(sides)
    differs = {s: {name: row for name, row in rows.items() if _differs(row)} for s, rows in known.items()}
    same = {name: row[0] for rows in known.values() for name, row in rows.items() if not _differs(row)}
    heads = "".join(f'<th scope="col">{badge(side)}</th>' for side in sides)
    bodies = "".join(_section(name, rows, len(sides)) for name, rows in differs.items())
    table = (
        '<div class="scroll" tabindex="0" role="region" aria-label="What differs"><table class="differences">'
        f'<thead><tr><th scope="col">What differs</th>{heads}</tr></thead>{bodies}</table></div>'
    )
    return table + _folded(same)


def badge(side: Side) -> str:
    """A side's letter and name, as a link to it."""
    words = escape(side.name.partition(" · ")[2])
    link = f'<a href="./?session={escape(side.id, quote=True)}">{words}</a>'
    return f'<span class="lane lane-{side.lane}">{side.lane.upper()}</span> {link}'


def _differs(row: Sequence[Fact | None]) -> bool:
    return len({fact and fact.text for fact in row}) > 1


def _section(name: str, rows: dict[str, list[Fact | None]], columns: int) -> str:
    if not rows:
        rows_shown = f'<tr><td class="none" colspan="{columns + 1}">Nothing differs.</td></tr>'
    else:
        rows_shown = "".join(
            f'<tr><th scope="row">{escape(label)}</th>{"".join(_cell(fact, row) for fact in row)}</tr>'
            for label, row in rows.items()
        )
    return f'<tbody><tr class="section"><th scope="rowgroup" colspan="{columns + 1}">{escape(name)}</th></tr>{rows_shown}</tbody>'


def _cell(fact: Fact | None, row: Sequence[Fact | None]) -> str:
    if fact is None:
        return '<td class="none">–</td>'
    text = fact.text if len(fact.text) <= LONGEST else fact.text[: LONGEST - 1] + "…"
    grade = "" if fact.good is None else f' class="{"right" if fact.good else "wrong"}"'
    return f"<td{grade}>{escape(text)}{_times(fact, row[0])}</td>"


def _times(fact: Fact, first: Fact | None) -> str:
    """How many times the first side's number it is, where that says more than the numbers do."""
    if first is None or first is fact or not first.number or fact.number is None or fact.number == first.number:
        return ""
    ratio = fact.number / first.number
    times = f"{ratio:,.3g}" if ratio < 1000 else f"{ratio:,.0f}"
    return f' <span class="times">×{times}</span>' if times != "1" else ""


def _folded(same: dict[str, Fact | None]) -> str:
    if not same:
        return ""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape((fact.text if fact else '–')[:LONGEST])}</dd>" for name, fact in same.items()
    )
    count = "1 fact is the same" if len(same) == 1 else f"{len(same)} facts are the same"
    return f'<details class="same"><summary>{count} in all</summary><dl>{rows}</dl></details>'
