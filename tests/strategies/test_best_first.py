"""Best-first search, move by move."""

from math import inf

from hands import ROOT, ended, step
from hypothesis import given
from hypothesis import strategies as st
from worlds import POLICIES, VERIFIERS, drive, only, search

from tts_explorer.events import NodeAdded, NodePruned
from tts_explorer.moves import Expand, Score
from tts_explorer.strategies import default_rule
from tts_explorer.strategies.best_first import best_first


def test_it_always_expands_the_best_open_node():
    search = best_first(ROOT, n=4, beam_width=2)
    assert next(search) == Expand([ROOT], 4)
    a, b, c, d = steps = [step(i, score=score) for i, score in enumerate([0.2, 0.7, 0.6, 0.1])]
    assert search.send(steps) == Score(steps)
    assert search.send(steps) == Expand([b], 2)
    e, f = steps = [step(1, 0, score=0.65), step(1, 1, score=0.3)]
    assert search.send(steps) == Score(steps)
    assert search.send(steps) == Expand([e], 2)
    steps = [step(1, 0, 0, score=0.1), step(1, 0, 1, score=0.2, done=True)]
    search.send(steps)
    assert search.send(steps) == Expand([c], 2)
    steps = [step(2, 0, score=0.9, answer="8"), step(2, 1, score=0.9)]
    search.send(steps)
    assert ended(search, steps)
    assert default_rule(best_first) == "best"


def test_it_stops_at_so_many_answers():
    search = best_first(ROOT, n=9, beam_width=2, answers=3)
    next(search)
    steps = [step(0, score=0.5, answer="8"), step(1, score=0.4), step(2, score=0.3), step(3, score=0.9, done=True)]
    search.send(steps)
    assert search.send(steps) == Expand([steps[1]], 2)
    steps = [step(1, 0, score=0.5, answer="8"), step(1, 1, score=0.4, answer="7")]
    search.send(steps)
    assert ended(search, steps)


def test_ties_go_to_the_earlier_and_the_unscorable_come_last():
    search = best_first(ROOT, n=5, beam_width=1)
    next(search)
    failed, a, b = steps = [step(0, score=-inf), step(1, score=0.0), step(2, score=0.0)]
    search.send(steps)
    assert search.send(steps) == Expand([a], 1)
    new = [step(1, 0, score=0.0)]
    search.send(new)
    assert search.send(new) == Expand([b], 1)
    search.send([step(2, 0, done=True)])
    assert search.send([step(2, 0, score=0.0, done=True)]) == Expand(new, 1)
    search.send([step(1, 0, 0, done=True)])
    assert search.send([step(1, 0, 0, score=0.0, done=True)]) == Expand([failed], 1)


def test_it_ends_when_nothing_is_open():
    search = best_first(ROOT, n=3, beam_width=1, answers=9)
    next(search)
    steps = [step(i, score=0.5, done=True) for i in range(3)]
    search.send(steps)
    assert ended(search, steps)


def test_without_an_answer_the_best_open_node_is_written_to_its_end():
    search = best_first(ROOT, n=1, beam_width=1)
    next(search)
    steps = [step(0, score=0.1)]
    search.send(steps)
    assert search.send(steps) == Expand([steps[0]], 1, to_end=True)
    last = [step(0, 0, 0, answer="8")]
    assert search.send(last) == Score(last)
    assert ended(search, last)


@given(
    st.sampled_from(sorted(POLICIES)), st.sampled_from(sorted(VERIFIERS)), st.integers(1, 7), st.integers(1, 4), st.integers(1, 3)
)
def test_its_counts_are_exact_whatever_the_models_do(policy, verifier, n, width, answers):
    """n first steps, beam_width after every other node it expands; at most n of them, and fewer only for a reason."""
    run = search("best_first", policy, verifier, settings={"n": n, "beam_width": width, "answers": answers})
    [records] = drive(run)
    assert run.tree.status == "done"
    moves, expanded, chain = {}, [], []
    for record in records:
        if isinstance(record.event, NodeAdded):
            moves.setdefault(record.line, []).append(record.event.node)
    stepped, *chain = moves.values()
    for node in stepped:
        if node[:-1] not in expanded:
            expanded.append(node[:-1])
    assert len(stepped) == n + (len(expanded) - 1) * width and len(expanded) <= n
    twins = {event.node for event in only(records, NodePruned)}
    found = [id for id in stepped if run.tree.nodes[id].answer and id not in twins]
    still_open = [id for id in stepped if not run.tree.nodes[id].terminal and id not in twins and id not in expanded]
    assert len(expanded) == n or len(found) >= answers or not still_open
    assert bool(chain) == (len(expanded) == n and not found and bool(still_open))
