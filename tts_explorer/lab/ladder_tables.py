"""The README's tables of the ladder, each with a sentence computed from the same figures and the command that measures them.

It measures nothing, and says nothing that the evidence doesn't.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill

from tts_explorer.errors import BadSetting
from tts_explorer.lab.contests import Contest, compared, contests, farthest, greedy_of, harms, nearest, thriftiest
from tts_explorer.lab.evidence import Evidence, Measured
from tts_explorer.lab.ladder import LEVEL, SMALL
from tts_explorer.lab.rungs import millions, short

BEGIN, END = "<!-- ladder -->", "<!-- /ladder -->"
"""Around them in the README."""
FAR = 15
"""A ratio of FLOPs a token that is worth a claim."""
LONGEST = 10
"""Rows of the table of harms."""
STEADY = (SMALL, "beam_search", 16)
"""Policy, strategy and n whose repeats are compared."""
WIDTH = 128


def markdown(evidence: Evidence, pictures: Mapping[str, str]) -> str:
    """All that stands between the marks; `pictures` are paths by what they show. Raises BadSetting without a cell."""
    if not evidence.cells:
        raise BadSetting("the evidence holds no cell yet: `tts-explorer bench ladder` measures them")
    shown = [f"![{says}]({path})" for says, path in pictures.items()]
    parts = [part(evidence) for part in (sizes, winners, losses, spreads)]
    return "\n\n".join([*shown, *(part for part in parts if part), closing(evidence)])


def told(*sentences: str) -> str:
    """A paragraph."""
    return fill(" ".join(sentences), WIDTH, break_long_words=False, break_on_hyphens=False)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    >>> table(["a", "b"], [["1", "2"]])
    '| a | b |\\n|---|---|\\n| 1 | 2 |'
    """
    lines = [head, *rows]
    drawn = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([drawn[0], "|---" * len(head) + "|", *drawn[1:]])


def share(cell: Measured) -> str:
    """Accuracy and its interval, in per cent."""
    return f"{100 * cell.accuracy:.1f} ({100 * cell.low:.1f} – {100 * cell.high:.1f})"


def search(cell: Measured) -> str:
    """A strategy with its settings, without those that are the same for all."""
    settings = [f"{name}={value}" for name, value in cell.settings.items() if name in ("n", "votes")]
    return " ".join([f"`{cell.strategy}`", *settings])


def command(evidence: Evidence, *parts: str, policy: str | None = None) -> str:
    """What measures the figures, for the foot of a table."""
    cells = [cell for cell in evidence.cells if cell.level == LEVEL]
    problems, seeds = (max((getattr(cell, name) for cell in cells), default=1) for name in ("problems", "seeds"))
    words = [f"--part {part}" for part in parts] + ([f"--policy {policy}"] if policy else [])
    return f"(`{' '.join(['tts-explorer bench ladder', *words, f'--problems {problems} --seeds {seeds}'])}`)"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence.

    >>> listed([]), listed(["a", "b", "c"])
    ('none', 'a, b and c')
    """
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part) if names else "none"


def counted(names: Sequence[str], of: int) -> str:
    """How many families, and which unless that is all or none.

    >>> counted(["sat"], 6), counted([], 6)
    ('1 of 6 families (sat)', 'none of 6 families')
    """
    which = f" ({listed(names)})" if 0 < len(names) < of else ""
    return f"{len(names) or 'none'} of {of} families{which}"


def sizes(evidence: Evidence) -> str:
    """Each policy as it is, by family."""
    families, policies = evidence.families, evidence.policies
    rows = []
    for rung in policies:
        found = [greedy_of(evidence, rung, family) for family in families]
        rows.append([f"`{short(rung.name)}`", millions(rung.parameters), *(share(cell) if cell else "" for cell in found)])
    steps = {family: [greedy_of(evidence, rung, family) for rung in policies if rung.family is None] for family in families}
    whole = {family: cells for family, cells in steps.items() if len(cells) > 1 and None not in cells}
    rises = [family for family, cells in whole.items() if all(a.accuracy < b.accuracy for a, b in _pairs(cells))]
    apart = [family for family, cells in whole.items() if all(a.high < b.low for a, b in _pairs(cells))]
    said = f"Greedy accuracy rises with every step in size on {counted(rises, len(whole))},"
    said += f" and with intervals apart at every step on {counted(apart, len(whole))}."
    sentence = said if whole else "Greedy accuracy was measured of one size only."
    head = ["greedy, %", "parameters", *families]
    return told("**Sizes.**", sentence, command(evidence, "sizes")) + "\n\n" + table(head, rows)


def _pairs(cells: Sequence[Measured]) -> Iterator[tuple[Measured, Measured]]:
    return zip(cells, cells[1:], strict=False)


def winners(evidence: Evidence) -> str:
    """Who beats whom at what cost; where nobody does, what came nearest."""
    found = {family: some for family in evidence.families if (some := list(contests(evidence, family)))}
    if not found:
        return ""
    rows = [_contest(*row) for some in found.values() for row in _won(some)]
    thrifty = {family: best for family, some in found.items() if (best := thriftiest(some))}
    far = [family for family, best in thrifty.items() if best.ratio >= FAR]
    ever = [family for family, some in found.items() if farthest(some)]
    sentence = (
        f"At no more FLOPs, the verifier's counted, a smaller policy with search beats a larger one's greedy answer on "
        f"{counted(list(thrifty), len(found))}, and one that takes {FAR} times its FLOPs a token or more on "
        f"{counted(far, len(found))}; at whatever cost on {counted(ever, len(found))}."
    )
    most = max((best.ratio for best in thrifty.values()), default=0.0)
    reached = f"The largest ratio at no more FLOPs is {most:.1f}." if most else ""
    head = ["family", "smaller, with search", "%", "larger, greedy", "%", "FLOPs a token", "FLOPs spent", "beaten"]
    foot = "FLOPs a token are the larger's over the smaller's, FLOPs spent the search's over the greedy answer's."
    return told("**Who beats whom.**", sentence, reached, foot, command(evidence, "sizes", "search")) + "\n\n" + table(head, rows)


def _won(among: Sequence[Contest]) -> Iterator[tuple[Contest, str]]:
    """The farthest win at no more FLOPs; the farthest at whatever cost if it goes farther; without any, what came nearest.

    A specialist's at no more FLOPs comes besides, if it goes farther than any generalist's.
    """
    broad = [contest for contest in among if not contest.special]
    thrifty, far, near = thriftiest(broad), farthest(broad), nearest(broad)
    if thrifty:
        yield thrifty, "at no more FLOPs"
    if far and (thrifty is None or far.ratio > thrifty.ratio):
        yield far, "at more FLOPs"
    if far is None and near:
        yield near, "no: the nearest"
    narrow = thriftiest(contest for contest in among if contest.special)
    if narrow and (thrifty is None or narrow.ratio > thrifty.ratio):
        yield narrow, "at no more FLOPs"


def _contest(contest: Contest, outcome: str) -> list[str]:
    small, large = contest.search, contest.greedy
    who = f"`{short(small.policy)}` {search(small)}"
    costs = f"{contest.ratio:.1f} ×", f"{contest.spent:.2f} ×"
    return [small.task, who, share(small), f"`{short(large.policy)}`", share(large), *costs, outcome]


def losses(evidence: Evidence) -> str:
    """Where search with a verifier does not help."""
    total, found = sum(1 for _ in compared(evidence)), harms(evidence)
    if not total:
        return ""
    apart = sum(harm.apart for harm in found)
    sentence = (
        f"On {len(found)} of {total} levels of families and policies the best search with a verifier is right less often than "
        f"greedy or a majority of no more samples, with intervals apart on {apart}."
    )
    cut = f"The first {LONGEST} are shown, those apart before others, by what is lost." if len(found) > LONGEST else ""
    rows = [
        [f"{h.scored.task} {h.scored.level}", f"`{short(h.scored.policy)}`", search(h.scored), share(h.scored), search(h.other),
         share(h.other), "apart" if h.apart else "overlap"]
        for h in found[:LONGEST]
    ]  # fmt: skip
    head = ["family, level", "policy", "best with a verifier", "%", "without", "%", "intervals"]
    drawn = "\n\n" + table(head, rows) if rows else ""
    return told("**Where search does not help.**", sentence, cut, command(evidence)) + drawn


def spreads(evidence: Evidence) -> str:
    """How much repeats of one search differ, in accuracy and in tokens."""
    cells = [cell for cell in evidence.cells if cell.level == LEVEL and cell.tokens_spread is not None]
    cells = [cell for cell in cells if (cell.policy, cell.strategy, cell.n) == STEADY]
    if not cells:
        return ""
    moves = [max(cell.by_seed) - min(cell.by_seed) for cell in cells]
    tokens = [cell.tokens_spread or 0.0 for cell in cells]
    sentence = (
        f"Between {min(cell.seeds for cell in cells)} repeats of one search ({short(SMALL)}, {search(cells[0])}) accuracy "
        f"differs by at most {100 * max(moves):.1f} points, and the tokens that one problem takes by {100 * min(tokens):.0f}% to "
        f"{100 * max(tokens):.0f}% of their mean."
    )
    rows = [
        [cell.task, f"{100 * cell.accuracy:.1f}", f"{100 * min(cell.by_seed):.1f} – {100 * max(cell.by_seed):.1f}",
         f"{cell.tokens:,.0f}", f"{100 * (cell.tokens_spread or 0.0):.0f}%"]
        for cell in cells
    ]  # fmt: skip
    head = ["family", "accuracy, %", "of the repeats", "tokens a search", "most − least, of the mean"]
    return told("**Repeats.**", sentence, command(evidence, "search", policy=SMALL)) + "\n\n" + table(head, rows)


def closing(evidence: Evidence) -> str:
    """What all figures have in common."""
    cells = [cell for cell in evidence.cells if cell.level == LEVEL] or evidence.cells
    problems, seeds = sorted({cell.problems for cell in cells}), max(cell.seeds for cell in cells)
    count = f"{problems[0]}" if len(problems) == 1 else f"{problems[0]} to {problems[-1]}"
    return told(
        f"Level {LEVEL} where none is named, {count} problems of the test split, seeds: {seeds} (greedy 1),",
        "temperature 1 (greedy 0); in brackets 95% intervals (Wilson, over problems × seeds; a little too narrow, since seeds",
        "share problems). FLOPs of both models count.",
        f"Measured up to {evidence.about['date']}, drawn and written by `tts-explorer bench figures`.",
    )
