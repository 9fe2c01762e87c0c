"""What differs between sessions, as a table; what is the same in all, folded away beneath it. Every text in it is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.ui.sides import Fact, Side, facts

LONGEST = 300
"""Characters of one value."""


def differences(sides: Sequence[Side], tongue: Tongue = ENGLISH) -> str:
    """The table as HTML; each side's column is headed by its letter and its name, which opens it in Explore."""
    known = facts(sides, tongue)
    differs = {s: {name: row for name, row in rows.items() if _differs(row)} for s, rows in known.items()}
    same = {name: row[0] for rows in known.values() for name, row in rows.items() if not _differs(row)}
    heads = "".join(f'<th scope="col">{badge(side)}</th>' for side in sides)
    bodies = "".join(_section(name, rows, len(sides), tongue) for name, rows in differs.items())
    title = escape(tongue("What differs"))
    table = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table class="differences">'
        f'<thead><tr><th scope="col">{title}</th>{heads}</tr></thead>{bodies}</table></div>'
    )
    return table + _folded(same, tongue)


def badge(side: Side) -> str:
    """A side's letter and name, as a link to it."""
    words = escape(side.name.partition(" · ")[2])
    link = f'<a href="./?session={escape(side.id, quote=True)}">{words}</a>'
    return f'<span class="lane lane-{side.lane}">{side.lane.upper()}</span> {link}'


def _differs(row: Sequence[Fact | None]) -> bool:
    return len({fact and fact.text for fact in row}) > 1


def _section(name: str, rows: dict[str, list[Fact | None]], columns: int, tongue: Tongue) -> str:
    if not rows:
        nothing = escape(tongue("Nothing differs."))
        rows_shown = f'<tr><td class="none" colspan="{columns + 1}">{nothing}</td></tr>'
    else:
        rows_shown = "".join(
            f'<tr><th scope="row">{escape(label)}</th>{"".join(_cell(fact, row, tongue) for fact in row)}</tr>'
            for label, row in rows.items()
        )
    return f'<tbody><tr class="section"><th scope="rowgroup" colspan="{columns + 1}">{escape(name)}</th></tr>{rows_shown}</tbody>'


def _cell(fact: Fact | None, row: Sequence[Fact | None], tongue: Tongue) -> str:
    if fact is None:
        return '<td class="none">–</td>'
    text = fact.text if len(fact.text) <= LONGEST else fact.text[: LONGEST - 1] + "…"
    grade = "" if fact.good is None else f' class="{"right" if fact.good else "wrong"}"'
    return f"<td{grade}>{escape(text)}{_times(fact, row[0], tongue)}</td>"


def _times(fact: Fact, first: Fact | None, tongue: Tongue) -> str:
    """How many times the first side's number it is, where that says more than the numbers do."""
    if first is None or first is fact or not first.number or fact.number is None or fact.number == first.number:
        return ""
    ratio = fact.number / first.number
    times = tongue.number(ratio, ",.3g" if ratio < 1000 else ",.0f")
    return f' <span class="times">×{times}</span>' if times != "1" else ""


def _folded(same: dict[str, Fact | None], tongue: Tongue) -> str:
    if not same:
        return ""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape((fact.text if fact else '–')[:LONGEST])}</dd>" for name, fact in same.items()
    )
    count = escape(tongue.plural(len(same), "{n} fact is the same in all", "{n} facts are the same in all"))
    return f'<details class="same"><summary>{count}</summary><dl>{rows}</dl></details>'
