"""What `Score` asks: steps ahead of the policy, rewards or verdicts of the verifier; and what becomes of them.

It works on a run's tree, its move under way and its requests, and calls no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tts_explorer.errors import BadSetting
from tts_explorer.events import LookedAhead, NodeId, NodeScored, Noted, clean, dotted
from tts_explorer.models.base import Judgement, Sample
from tts_explorer.moves import Score
from tts_explorer.outcomes import Outcome
from tts_explorer.runner.pending import Ahead, twins_among, whole_steps
from tts_explorer.runner.plan import Request
from tts_explorer.runner.written import answer_in

if TYPE_CHECKING:
    from tts_explorer.runner.run import Run


MUTE = "votes is {votes} and {verifier} doesn't write: choose judge:policy, or 1 vote"


def begin(run: Run, move: Score) -> None:
    """Ask for what the nodes of `move` lack; twins are asked about once. Raises BadSetting for votes that can't be written."""
    if move.votes > 1 and not run.verifier.writes:
        raise BadSetting(MUTE, votes=move.votes, verifier=run.verifier.name)
    same = twins(run, move)
    asked: set[NodeId] = set()
    for node in move.nodes:
        if node.id in same or node.id in asked:
            continue
        if move.lookahead and not node.terminal and not run.tree.nodes[node.id].scored and not _is_blank(run, node.id):
            asked |= ask_rewards(run, node.id[:-1], asked) | {node.id}
            _look_ahead(run, node.id)
        else:
            asked |= ask_rewards(run, node.id, asked, votes=move.votes)


def twins(run: Run, move: Score) -> dict[NodeId, NodeId]:
    """The later ones of equal steps, each with the first."""
    return twins_among(move.nodes, run.born, run.whole) if move.merge else {}


def ask_rewards(run: Run, id: NodeId, asked: set[NodeId], *, votes: int = 1) -> set[NodeId]:
    """Ask for what lacks a reward on the path to `id`, but for `asked`; returns the nodes that it asked for.

    Empty steps are not sent. A fragment inside the path is asked about by itself, so that it can be ranked. A generative
    verifier rewards the last step alone, until it has as many verdicts as `votes`.
    """
    if not id:
        return set()
    if isinstance(run.verifier, Outcome):
        return _reward_by_formula(run, id, run.verifier, asked)
    if run.verifier.writes:
        return _ask_verdicts(run, id, asked, votes)
    lacking = {node.id for node in run.tree.path(id) if not node.scored} - asked
    steps = whole_steps(run.tree, id, run.pending.ahead.get(id, ()))
    for fragment in sorted(lacking - {node for _, node in steps}):
        ask_rewards(run, fragment, asked | (lacking - {fragment}))
    _send(run, id, steps, lacking)
    return lacking


def _send(run: Run, id: NodeId, steps: Sequence[tuple[str, NodeId]], lacking: set[NodeId], votes: range = range(0)) -> None:
    """Send `steps` to the verifier: the last of each node's in `lacking` is its reward. A node of blank steps gets none."""
    said = [(text, node) for text, node in steps if text.strip()]
    last = {node: place for place, (_, node) in enumerate(said)}
    for node in sorted(lacking & {node for _, node in steps} - set(last)):
        run.emit(NodeScored(node, None))
    wanting = [node if node in lacking and last[node] == place else None for place, (_, node) in enumerate(said)]
    if any(wanting):
        run.pending.missing.add(id)
        run.pending.judged[id] = wanting
        segments = tuple(run.verifier.step(text) for text, _ in said)
        run.requests.append(Request("judge", id, (run.judged,), segments, votes=votes))


def _ask_verdicts(run: Run, id: NodeId, asked: set[NodeId], votes: int) -> set[NodeId]:
    """Ask a generative verifier for the verdicts that `id` lacks."""
    missing = range(run.votes.get(id, 0), votes)
    if missing and id not in asked:
        run.votes[id] = votes
        _send(run, id, whole_steps(run.tree, id, run.pending.ahead.get(id, ())), {id}, missing)
    return {id}


def _reward_by_formula(run: Run, id: NodeId, outcome: Outcome, asked: set[NodeId]) -> set[NodeId]:
    """Score the path to `id` by what is known of it already, and of the steps ahead of it."""
    wanted = [node.id for node in run.tree.path(id) if not node.scored and (node.id == id or not outcome.whole)]
    for node in (node for node in wanted if node not in asked):
        ahead = [(len(step.ids), step.logprob, step.certainty) for step in run.pending.ahead.get(node, ())]
        run.emit(NodeScored(node, None if _is_blank(run, node) else outcome.reward(run.tree, node, ahead)))
    return set(wanted)


def _is_blank(run: Run, id: NodeId) -> bool:
    """Whether the step that `id` ends is an empty one, which gets no reward."""
    return not whole_steps(run.tree, id)[-1][0].strip()


def _look_ahead(run: Run, id: NodeId) -> None:
    """Ask for one more greedy step ahead of node `id`."""
    ahead = run.pending.ahead.setdefault(id, [])
    run.pending.missing.add(id)
    prompt = (*run.before(id), run.segments[id], *(step.ids for step in ahead))
    run.requests.append(Request("look", id, prompt, greedy=True, place=len(ahead)))


def took_look(run: Run, node: NodeId, sample: Sample) -> None:
    """Take in one more step ahead of `node`; at the end of the look ask for the reward there."""
    pending, move = run.pending, cast(Score, run.pending.move)
    ahead = pending.ahead[node]
    pending.spent("policy", sample.spend, first=not ahead)
    ahead.append(Ahead(sample.ids, clean(sample.text), sample.stop, sample.logprob, sample.certainty))
    pending.missing.discard(node)
    said = whole_steps(run.tree, node, ahead)[-1][0]
    ended = sample.stop == "eos" or not sample.room or answer_in(said, run.plan.task) is not None
    if not ended and len(ahead) < move.lookahead:
        _look_ahead(run, node)
        return
    run.over += [Request("look", node, (), place=place).key(run.id) for place in range(len(ahead))]
    run.emit(LookedAhead(node, "".join(step.text for step in ahead), sum(len(step.ids) for step in ahead)))
    ask_rewards(run, node, {step.id for step in run.tree.path(node)} - {node}, votes=move.votes)


def took_judgement(run: Run, node: NodeId, judgement: Judgement) -> None:
    """Record the rewards of the path to `node`; one that is not in [0, 1] counts as a failure of the verifier."""
    pending, before = run.pending, run.tree.nodes[node].verdicts
    pending.spent("verifier", judgement.spend)
    wanting = pending.judged[node]
    judgement = judgement.after(before) if before else judgement
    if len(judgement.rewards) != len(wanting):
        raise ValueError(f"{run.verifier.name} gave {len(judgement.rewards)} rewards for {len(wanting)} steps")
    for id, reward in zip(wanting, judgement.rewards, strict=True):
        if id is None:
            continue
        fine = reward is not None and 0.0 <= reward <= 1.0
        run.emit(NodeScored(id, float(reward) if fine else None, judgement.verdicts))
        if not fine:
            run.emit(Noted("warning", f"{run.verifier.name} gave no reward for node {dotted(id)}, which ranks last"))
    pending.missing.discard(node)
