"""The one worker that owns the models: every search's wishes go into one batch a model, every result back to its run.

A search goes on as soon as its own answers are complete and never waits for another's. An event is committed to the sink
before anyone is shown it. Other threads only hand runs in (`start`), set `cancelled`, and read `published`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from tts_explorer.events import NodeId, NodePruned, Record, Role, Status
from tts_explorer.models.base import NOTHING, Judgement, Key, Policy, Sample, Spend, sample_key
from tts_explorer.runner.plan import Request, Scorer
from tts_explorer.runner.run import Run

DRAFTS = 0.2
"""Seconds between two looks at the text in flight."""


class Sink(Protocol):
    """Where records are made safe."""

    def append(self, batch: Sequence[tuple[str, Sequence[Record]]]) -> None:
        """Commit the new records of several searches, (search id, records), in one transaction."""


class Live:
    """A run and what others may see of it."""

    def __init__(self, run: Run, watch: Callable[[Sequence[Record]], None] | None = None):
        self.run, self.watch = run, watch
        self.published: list[Record] = []
        """Committed records; only ever extended."""
        self.drafts: dict[NodeId, str] = {}
        """Text in flight: lossy, never stored."""
        self.done = threading.Event()
        self.error: BaseException | None = None

    def cancel(self) -> None:
        """Ask the run to stop at its next token."""
        self.run.cancelled = True


class Loop:
    """Drives all live runs. `drive` runs them in the calling thread, `serve` in a worker of its own."""

    def __init__(self, sink: Sink | None = None):
        self.sink = sink
        self.live: dict[str, Live] = {}
        self.wake = threading.Condition()
        self.incoming: list[Live] = []
        self.owners: dict[Key, Live] = {}
        self.thread: threading.Thread | None = None
        self.closed = False
        self.shown = -DRAFTS

    def start(self, run: Run, watch: Callable[[Sequence[Record]], None] | None = None) -> Live:
        """Take a run in, from any thread; the worker commits its first records before anyone sees them."""
        live = Live(run, watch)
        with self.wake:
            self.incoming.append(live)
            self.wake.notify_all()
        return live

    def find(self, id: str) -> Live | None:
        """The live run called `id`, if there is one."""
        with self.wake:
            return self.live.get(id) or next((live for live in self.incoming if live.run.id == id), None)

    def drive(self) -> None:
        """Run everything handed in to its end, in this thread."""
        while self.step():
            pass

    def serve(self) -> None:
        """Start the worker thread."""
        self.thread = threading.Thread(target=self._work, name="models", daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Cancel what runs, wait for the worker to write its last events, and end it."""
        with self.wake:
            self.closed = True
            self.wake.notify_all()
        if self.thread is not None:
            self.thread.join(timeout=30)

    def _work(self) -> None:
        while True:
            with self.wake:
                while not self.incoming and not self.owners and not self.closed:
                    self.wake.wait(timeout=1.0)
            if not self.step() and self.closed:
                return

    def step(self) -> bool:
        """One token for every sample and one batch for every verifier; False when there is nothing left to do."""
        with self.wake:
            self.live |= {live.run.id: live for live in self.incoming}
            self.incoming = []
        if self.closed:
            for live in self.live.values():
                live.cancel()
        self._flush()
        self._submit()
        policies = {id(live.run.policy): live.run.policy for live in self.live.values()}
        verifiers = {id(v): v for live in self.live.values() if (v := live.run.verifier) is not None}
        for policy in policies.values():
            self._tick("policy", policy)
        for verifier in verifiers.values():
            self._tick("verifier", verifier)
        self._stop_due()
        self._submit()
        self._flush()
        return bool(self.live)

    def _submit(self) -> None:
        for live in list(self.live.values()):
            run = live.run
            for request in run.requests:
                key = request.key(run.id)
                self.owners[key] = live
                try:
                    self._send(run, key, request)
                except Exception as error:
                    self._broke([live], run.verifier if request.purpose == "judge" else run.policy, error)
                    break
            run.requests.clear()

    def _send(self, run: Run, key: Key, request: Request) -> None:
        if request.purpose == "judge":
            self._send_path(run, key, request)
            return
        run.policy.submit(
            key,
            request.prompt,
            rng=sample_key(run.plan.seed, request.node),
            temperature=0.0 if request.greedy else run.plan.temperature,
            max_tokens=run.plan.max_step_tokens,
        )

    def _send_path(self, run: Run, key: Key, request: Request) -> None:
        """To a verifier; one that writes samples, so it gets random numbers and a temperature."""
        if not run.verifier.writes:
            run.verifier.submit(key, request.prompt[0], request.steps)
            return
        rngs = [sample_key(run.plan.seed, request.node, f":verdict {vote}") for vote in request.votes]
        run.verifier.submit(key, request.prompt[0], request.steps, rngs=rngs, temperature=run.plan.temperature)

    def _tick(self, role: Role, model: Policy | Scorer) -> None:
        """One tick of one model; a model that breaks fails the runs that use it, and no other."""
        mine = [live for live in self.live.values() if (live.run.policy if role == "policy" else live.run.verifier) is model]
        rows = {live.run.id: 0 for live in mine}
        for key in self.owners:
            if (key[1] == "judge") == (role == "verifier") and key[0] in rows:
                rows[key[0]] += 1
        if not sum(rows.values()):
            return
        began = time.perf_counter()
        try:
            results = model.tick()
        except Exception as error:
            self._broke(mine, model, error)
            return
        took = time.perf_counter() - began
        sharing = sum(count > 0 for count in rows.values())
        for live in mine:
            share = rows[live.run.id] / sum(rows.values())
            if share:
                live.run.pending.took_time(role, took * share, apportioned=sharing > 1)
        self._deliver(role, results)

    def _broke(self, lives: Sequence[Live], model: Policy | Scorer, error: Exception) -> None:
        for live in lives:
            self._end(live, "failed", f"{model.name} broke: {type(error).__name__}: {error}")

    def _deliver(self, role: Role, results: Sequence[tuple[Key, Sample | Judgement]]) -> None:
        """Hand results to their runs, in the order of node ids; what comes after a run's end only counts as spent."""
        for key, result in sorted(results, key=lambda pair: pair[0]):
            live = self.owners.pop(key, None)
            if live is None:
                continue
            run = live.run
            if (reason := run.due()) is not None and reason[0] == "budget":
                run.lost(key, role, result.spend)
                continue
            try:
                if isinstance(result, Judgement):
                    run.took_judgement(key[2], result)
                elif key[1] == "look":
                    run.took_look(key[2], result)
                else:
                    run.took_sample(key[2], result)
            except Exception as error:
                self._broke([live], run.policy if role == "policy" else run.verifier, error)

    def _stop_due(self) -> None:
        """End the runs that are cancelled or have spent their budget: looked at after every token."""
        under_way: dict[str, Spend] = {}
        showing = time.monotonic() >= self.shown + DRAFTS
        for writer in {id(writer): writer for live in self.live.values() for writer in live.run.writers}.values():
            mine = [live for live in self.live.values() if writer in live.run.writers]
            try:
                for key, spend in writer.progress().items() if any(live.run.counts for live in mine) else ():
                    under_way[key[0]] = under_way.get(key[0], NOTHING) + spend
                if showing and writer is mine[0].run.policy:
                    self._show_drafts(mine, writer.drafts())
            except Exception as error:
                self._broke(mine, writer, error)
        for live in list(self.live.values()):
            reason = live.run.due(under_way.get(live.run.id, NOTHING)) if live.run.live else None
            if reason is not None:
                self._end(live, *reason)

    def _show_drafts(self, lives: Sequence[Live], texts: Mapping[Key, str]) -> None:
        self.shown = time.monotonic()
        for live in lives:
            live.drafts = {key[2]: text for key, text in texts.items() if key[:2] == (live.run.id, "sample")}

    def _end(self, live: Live, status: Status, detail: str) -> None:
        """Drop the run's unfinished work, count what it took, and let it write its last events."""
        run = live.run
        keys = [key for key, owner in self.owners.items() if owner is live]
        for key in keys:
            del self.owners[key]
        for role, model in (("policy", run.policy), ("verifier", run.verifier)):
            with suppress(Exception):  # a broken model may fail at this too
                for key, spend in model.drop(keys).items() if model is not None else ():
                    run.lost(key, role, spend)
        run.finish(status, detail)

    def _flush(self) -> None:
        """Commit, then show."""
        fresh = [(live, live.run.outbox) for live in self.live.values() if live.run.outbox]
        if fresh and self.sink is not None:
            try:
                self.sink.append([(live.run.id, records) for live, records in fresh])
            except Exception as error:
                self._unsaved([live for live, _ in fresh], error)
                fresh = []
        for live, records in fresh:
            live.run.outbox = []
            self._free(live.run, records)
            live.published.extend(records)
            if live.watch is not None:
                live.watch(records)
        for live in [live for live in self.live.values() if not live.run.live]:
            with self.wake:
                del self.live[live.run.id]
            live.drafts = {}
            live.done.set()

    def _free(self, run: Run, records: Sequence[Record]) -> None:
        """Let the models forget what they keep of pruned nodes, of steps ahead, and of a search that has ended."""
        pruned = [record.event.node for record in records if isinstance(record.event, NodePruned)]
        for purpose, model in (("sample", run.policy), ("judge", run.verifier)):
            keys = [(run.id, purpose, node) for node in pruned] if run.live else [(run.id,)]
            if purpose == "sample" and run.live:
                keys += run.over
                run.over = []
            if model is not None and keys:
                with suppress(Exception):  # a model that breaks here has broken already
                    model.drop(keys)

    def _unsaved(self, lives: Sequence[Live], error: Exception) -> None:
        """What can't be kept is not shown: stop these runs and leave `error` for whoever waits on them."""
        for live in lives:
            live.error = error
            self._end(live, "failed", f"the session could not be saved: {error}")
            self._free(live.run, ())
            live.run.outbox = []
