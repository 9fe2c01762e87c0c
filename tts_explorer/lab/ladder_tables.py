"""The README's tables of the ladder, each with a sentence computed from the same figures and the command that measures them.

It measures nothing, and says nothing that the evidence doesn't.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from textwrap import fill

from tts_explorer.errors import BadSetting
from tts_explorer.lab.contests import Contest, Pooled, compared, contests, farthest, harms, nearest, pooled_greedy, thriftiest
from tts_explorer.lab.evidence import Evidence, Measured
from tts_explorer.lab.ladder import ALL_LEVELS, LEVEL, SMALL
from tts_explorer.lab.rungs import millions, short
from tts_explorer.lab.table import GREEDY

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
    return fill(" ".join(filter(None, sentences)), WIDTH, break_long_words=False, break_on_hyphens=False)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    >>> table(["a", "b"], [["1", "2"]])
    '| a | b |\\n|---|---|\\n| 1 | 2 |'
    """
    lines = [head, *rows]
    drawn = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([drawn[0], "|---" * len(head) + "|", *drawn[1:]])


def share(cell: Measured | Pooled) -> str:
    """Accuracy and its interval, in per cent."""
    return f"{100 * cell.accuracy:.1f} ({100 * cell.low:.1f} – {100 * cell.high:.1f})"


def search(cell: Measured) -> str:
    """A strategy with its settings, without those that are the same for all."""
    settings = [f"{name}={value}" for name, value in cell.settings.items() if name in ("n", "votes")]
    by = ", answers checked by a program" if cell.strategy == "best_of_n" else ", steps judged by a program"
    return " ".join([f"`{cell.strategy}`", *settings]) + (by if cell.checked else "")


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
    """Each policy as it is, by family: where policies are set against one another, then on all levels together."""
    parts = [part for levels in ([LEVEL], ALL_LEVELS) if (part := _sizes(evidence, levels))]
    first = f"**Sizes.** {_rising(evidence, [LEVEL])}"
    more = _rising(evidence, ALL_LEVELS) if len(parts) > 1 else ""
    return "\n\n".join([told(first, more, command(evidence, "sizes")), *parts])


def _sizes(evidence: Evidence, levels: Sequence[int]) -> str:
    """The table of greedy answers on these levels together; empty where no policy was measured on all of them."""
    rows = []
    for rung in evidence.policies:
        found = [pooled_greedy(evidence, rung, family, levels) for family in evidence.families]
        if any(found):
            shares = [share(one) if one else "" for one in found]
            rows.append([f"`{short(rung.name)}`", millions(rung.parameters), *shares])
    return table([f"greedy, %, {spelt(levels)}", "parameters", *evidence.families], rows) if rows else ""


def _rising(evidence: Evidence, levels: Sequence[int]) -> str:
    """On how many families greedy accuracy rises with every step in size."""
    broad = [rung for rung in evidence.policies if rung.family is None]
    steps = {family: [pooled_greedy(evidence, rung, family, levels) for rung in broad] for family in evidence.families}
    whole = {family: found for family, found in steps.items() if len(found) > 1 and None not in found}
    if not whole:
        return "Greedy accuracy was measured of one size only."
    rises = [family for family, found in whole.items() if all(a.accuracy < b.accuracy for a, b in pairwise(found))]
    apart = [family for family, found in whole.items() if all(a.high < b.low for a, b in pairwise(found))]
    return (
        f"On {spelt(levels)} greedy accuracy rises with every step in size on {counted(rises, len(whole))}, and with intervals "
        f"apart at every step on {counted(apart, len(whole))}."
    )


def spelt(levels: Sequence[int]) -> str:
    """Levels in a sentence.

    >>> spelt([3]), spelt([1, 2, 3])
    ('level 3', 'levels 1 to 3 together')
    """
    return f"level {levels[0]}" if len(levels) == 1 else f"levels {levels[0]} to {levels[-1]} together"


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
    alone = [family for family, some in found.items() if thriftiest(one for one in some if not one.search.checked)]
    if len(alone) < len(thrifty):
        reached += f" Where no program checks the answers, it is so on {counted(alone, len(found))}."
    foot = "FLOPs a token are the larger's over the smaller's, FLOPs spent the search's over the greedy answer's."
    parts = ["sizes", "search"] + ["checked"] * any(cell.checked for cell in evidence.cells)
    return told("**Who beats whom.**", sentence, reached, foot, command(evidence, *parts)) + "\n\n" + table(head, rows)


def _won(among: Sequence[Contest]) -> Iterator[tuple[Contest, str]]:
    """The farthest win at no more FLOPs; the farthest at whatever cost if it goes farther; without any, what came nearest.

    A specialist's at no more FLOPs comes besides, if it goes farther than any generalist's, and so do those with a program for a
    verifier, which say something else than the others: one where it checks answers, one where it judges steps, and of each a
    specialist's at no more FLOPs.
    """
    easy = [contest for contest in among if contest.search.checked]
    among = [contest for contest in among if not contest.search.checked]
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
    for strategy in ("best_of_n", "beam_search"):
        alike = [contest for contest in easy if contest.search.strategy == strategy]
        broad = [contest for contest in alike if not contest.special]
        if checked := thriftiest(broad):
            yield checked, "at no more FLOPs"
        elif dear := farthest(broad):
            yield dear, "at more FLOPs"
        if narrow := thriftiest(contest for contest in alike if contest.special):
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
        f"On {len(found)} of {total} levels of families and policies the best search with a model's scores is right less often "
        f"than greedy or a majority of no more samples, with intervals apart on {apart}."
    )
    cut = f"The first {LONGEST} are shown, those apart before others, by what is lost." if len(found) > LONGEST else ""
    rows = [
        [f"{h.scored.task} {h.scored.level}", f"`{short(h.scored.policy)}`", search(h.scored), share(h.scored), search(h.other),
         share(h.other), "apart" if h.apart else "overlap"]
        for h in found[:LONGEST]
    ]  # fmt: skip
    head = ["family, level", "policy", "best with a model's scores", "%", "without", "%", "intervals"]
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


def spanned(counts: Iterable[int]) -> str:
    """From the least to the most.

    >>> spanned([3, 3]), spanned([100, 500, 200])
    ('3', '100 to 500')
    """
    ends = sorted(set(counts))
    return f"{ends[0]}" if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"


def closing(evidence: Evidence) -> str:
    """What all figures have in common."""
    cells = [cell for cell in evidence.cells if cell.level == LEVEL] or evidence.cells
    count = spanned(cell.problems for cell in cells)
    seeds = spanned([cell.seeds for cell in cells if cell.strategy != GREEDY] or [1])
    return told(
        f"Level {LEVEL} where none is named, {count} problems of the test split, seeds: {seeds} (greedy 1),",
        "temperature 1 (greedy 0); in brackets 95% intervals (Wilson, over problems × seeds; a little too narrow, since seeds",
        "share problems). FLOPs of both models count.",
        f"Measured up to {evidence.about['date']}, drawn and written by `tts-explorer bench figures`.",
    )
