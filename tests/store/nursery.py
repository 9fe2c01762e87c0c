"""Run as a program: start searches as processes of their own, kill each at a random moment, say what each had printed.

Arguments: the database, how many. Output: a JSON line a search, {"id": …, "printed": [the events that it got out]}.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from tts_explorer.events import to_dict
from tts_explorer.models.scripted import ScriptedPolicy, ScriptedVerifier
from tts_explorer.runner import Loop, Plan, Run
from tts_explorer.store import Store, new_id
from tts_explorer.strategies import strategy_named
from tts_explorer.tasks import task_named


class SlowPolicy(ScriptedPolicy):
    def tick(self):
        time.sleep(0.002)
        return super().tick()


def child(db: Path, id: str) -> None:
    """Search for longer than it will live, printing each event as it is published."""
    task = task_named("arithmetic")
    problem = task.parse("Bo has 5 figs. Bo finds 3 figs. How many figs are left?")
    settings = {"n": 4, "beam_width": 2, "max_depth": 64}
    plan = Plan(problem, task, strategy_named("beam_search"), settings)
    policy = SlowPolicy(lambda text, rng: (rng.choice("abcdef") + "\n\n", "step"))
    loop = Loop(Store(db))
    loop.start(Run(plan, policy, ScriptedVerifier(lambda problem, steps: 0.5), id=id), watch)
    loop.drive()


def watch(records) -> None:
    for record in records:
        os.write(1, json.dumps(to_dict(record)).encode() + b"\n")


def killed(db: Path, rng: random.Random) -> dict:
    """What one search printed before SIGKILL."""
    id, (reader, writer) = new_id(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(writer, 1)
        child(db, id)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        first = stream.readline()
        time.sleep(rng.uniform(0, 0.25))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        printed = first + stream.read()
    return {"id": id, "printed": [json.loads(line) for line in printed.split(b"\n")[:-1]]}


if __name__ == "__main__":
    rng = random.Random(0)
    for _ in range(int(sys.argv[2])):
        print(json.dumps(killed(Path(sys.argv[1]), rng)), flush=True)
