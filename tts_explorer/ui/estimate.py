"""What a search will take, said before it begins: tokens, FLOPs, seconds, and how many greedy answers that is.

Tokens come from a rehearsal, FLOPs from the models' configs, seconds from what earlier searches in the store took. Nothing is
loaded. All of it is rough: searches that merge many duplicates take two thirds of what is said.
"""

from __future__ import annotations

import math
from dataclasses import replace

from tts_explorer.errors import UserError
from tts_explorer.models.flops import Flops
from tts_explorer.models.judge import JUDGE
from tts_explorer.models.program import PROGRAM
from tts_explorer.outcomes import OUTCOMES
from tts_explorer.runner import Ask
from tts_explorer.runner.prepare import the_problem
from tts_explorer.store import Store, Wanted
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.ui.rehearsal import Spent, lengths, rehearsed, tokens_in
from tts_explorer.ui.sizes import flops_of

LOOKED_AT = 20
"""The newest searches by the same policy, which tell how fast it is here."""
USUAL_LEVEL = 3
"""Of a problem that a visitor typed."""
UNKNOWN_FAMILY = "How much this takes can’t be told before: the problem is of no family that is known here."
ABOUT, MORE_THAN = "About {cost}{worth}.", "More than {cost}{worth}."
FLOPS, SECONDS = "{n}FLOPs", "{n} s on this machine"
WORTH, WORTH_ONE = ", worth {n} greedy answers", ", worth one greedy answer"


def estimate(ask: Ask, store: Store, say: Tongue = ENGLISH) -> str:
    """One sentence about what `ask` will take, or what is wrong with it."""
    try:
        problem = the_problem(ask)
        if not problem.task:
            return say(UNKNOWN_FAMILY)
        known = replace(lengths(problem.task, problem.level or USUAL_LEVEL), problem=tokens_in(problem.text))
        spent = rehearsed(ask, known)
        greedy = rehearsed(replace(ask, strategy="greedy", settings={}, verifier=None, budget={}), known)
    except UserError as error:
        return sentence_of(say.of(error))
    flops, one = flops_in(ask, spent), flops_in(ask, greedy)
    worth = flops / one if flops and one else None
    return spelt(spent.sampled, flops, flops and seconds(ask.policy, flops, store), worth, more=spent.more, say=say)


def flops_in(ask: Ask, spent: Spent) -> float | None:
    """Of both models; None where one of them isn't known."""
    policy, verifier = flops_of(ask.policy), judged_by(ask)
    if policy is None or (spent.verifier and verifier is None):
        return None
    return spent.flops(policy, verifier)


def judged_by(ask: Ask) -> Flops | None:
    """What a token costs the verifier."""
    name = ask.verifier or ""
    free = not name or name.startswith(JUDGE) or name == PROGRAM or name in OUTCOMES
    return None if free else flops_of(name)


def seconds(policy: str, flops: float, store: Store) -> float | None:
    """How long so many FLOPs take here, by the store's newest searches with this policy; None before the first."""
    earlier, _ = store.find(Wanted(policy=policy, state="done"), LOOKED_AT)
    done, took = sum(session.flops for session in earlier), sum(session.seconds for session in earlier)
    return flops * took / done if done and took else None


def spelt(tokens: int, flops: float | None, seconds: float | None, worth: float | None, *, more: bool = False,
          say: Tongue = ENGLISH) -> str:  # fmt: skip
    """The sentence; `more` where the figures are only what it takes at least.

    >>> spelt(2913, 1.43e9, 0.82, 16.2)
    'About 2,900 tokens, 1.4 GFLOPs, 0.82 s on this machine, worth 16 greedy answers.'
    """
    cost = [say.plural(near(tokens), "{n} token", "{n} tokens", n=rounded(tokens, say))]
    cost += [say(FLOPS, n=prefixed(flops, say))] if flops else []
    cost += [say(SECONDS, n=rounded(seconds, say))] if seconds else []
    return say(MORE_THAN if more else ABOUT, cost=", ".join(cost), worth=worth_of(worth, say))


def worth_of(times: float | None, say: Tongue) -> str:
    if times is None or not math.isfinite(times):
        return ""
    return say.plural(near(times), WORTH_ONE, WORTH, n=rounded(times, say))


def near(number: float) -> float:
    """The nearest number of two digits, and of three decimals at most."""
    return round(number, min(3, 1 - math.floor(math.log10(number)))) if number > 0 else 0.0


def rounded(number: float, say: Tongue = ENGLISH) -> str:
    """Two digits, as an estimate deserves.

    >>> [rounded(x) for x in (0.0049, 0.996, 1.44, 16.2, 2913)]
    ['0.005', '1', '1.4', '16', '2,900']
    """
    close = near(number)
    return say.number(int(close) if close == int(close) else close)


def prefixed(number: float, say: Tongue = ENGLISH) -> str:
    """Two digits and the SI prefix: `1.4 G`."""
    for size, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{rounded(number / size, say)} {prefix}"
    return f"{rounded(number, say)} "


def sentence_of(text: str) -> str:
    """`text` with a capital letter, unless a name begins it, and a full stop."""
    begins = text[:1].upper() + text[1:] if text.split(" ")[0].isalpha() else text
    return begins if begins.endswith(".") else begins + "."
