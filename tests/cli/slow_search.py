"""Run as a program: the command line on scripted models that take their time; the search goes on for seconds."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from worlds import policy_of, verifier_of  # noqa: E402

from tts_explorer.cli import main, solve  # noqa: E402
from tts_explorer.runner import Models  # noqa: E402


def script(text, rng):
    step = rng.choice(("go on, go\n\n", "and then\n\n", "\\boxed{8}"))
    return step, "eos" if "boxed" in step else "step"


def policy(name):
    """Writes a step in a twentieth of a second; one in three is an answer."""
    made = policy_of(script, context=10**9)
    tick = made.tick

    def slow():
        time.sleep(0.005)
        return tick()

    made.tick = slow
    return made


def judge(problem, steps):
    return 0.1 if "boxed" in steps[-1] else 0.9


solve.Models = lambda **options: Models(policy, lambda name: verifier_of(judge))

if __name__ == "__main__":
    main()
