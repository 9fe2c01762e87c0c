"""Search against the program: is a problem solved of which one of n whole samples with the same seed is right?

`python tests/against_program.py` prints a table for countdown level 3, n = 16, bundled:small, seed 0; `--help` has the rest.
It keeps nothing.
"""

import argparse
import time

from tts_explorer.estimates import outcomes_of
from tts_explorer.intervals import wilson
from tts_explorer.runner import Ask, Models
from tts_explorer.runner.searches import searched


def trees(ask, count, models):
    """What `ask` grew on problems 0 … count−1."""
    return searched([Ask(**ask, index=index) for index in range(count)], models, lambda run: run.tree)


def share(name, right, seconds):
    """One line: the share of `right` with its 95% interval."""
    low, high = wilson(sum(right), len(right))
    print(
        f"{name:32} {sum(right):4}/{len(right):<4} {sum(right) / len(right):6.1%}  {low:.1%} – {high:.1%}  {seconds:5.0f} s",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for name, default in {"task": "countdown", "level": 3, "policy": "bundled:small", "seed": 0}.items():
        parser.add_argument(f"--{name}", default=default, type=type(default))
    parser.add_argument("--n", default=16, type=int)
    parser.add_argument("--problems", default=40, type=int)
    parser.add_argument("strategies", nargs="*", default=["beam_search", "dvts"])
    given = vars(parser.parse_args())
    n, count, strategies = (given.pop(name) for name in ("n", "problems", "strategies"))
    models, began = Models(), time.monotonic()
    whole = trees(given | {"strategy": "self_consistency", "settings": {"n": n}}, count, models)
    reached = [any(outcome.right for outcome in outcomes_of(tree)) for tree in whole]
    share(f"one of {n} whole samples", reached, time.monotonic() - began)
    share("majority of them", [tree.correct is True for tree in whole], 0)
    for strategy in strategies:
        began = time.monotonic()
        found = trees(given | {"strategy": strategy, "settings": {"n": n}, "verifier": "program"}, count, models)
        right = [tree.correct is True for tree in found]
        share(f"{strategy} with program", right, time.monotonic() - began)
        share("  of those a sample solves", [a for a, b in zip(right, reached, strict=True) if b], 0)


if __name__ == "__main__":
    main()
