"""Lookahead search: move by move, and where the look ahead changes what is kept."""

from dataclasses import replace

import pytest
from hands import ROOT, ended, step
from worlds import PROBLEM, comparable, drive, events, only, search, verifier_of, written

from tts_explorer.errors import BadSetting
from tts_explorer.events import LookedAhead, NodeAdded, NodePruned, NodeScored, SearchStarted
from tts_explorer.moves import Expand, Prune, Score
from tts_explorer.strategies import checked_settings, default_rule
from tts_explorer.strategies.lookahead_search import lookahead_search


def test_it_is_beam_search_that_looks_ahead_of_every_step():
    search = lookahead_search(ROOT, n=4, beam_width=2, lookahead=3, max_depth=3)
    assert next(search) == Expand([ROOT], [4])
    steps = [step(i) for i in range(4)]
    assert search.send(steps) == Score(steps, lookahead=3)
    a, b, c, d = scored = [step(i, score=score) for i, score in enumerate([0.1, 0.8, 0.3, 0.9])]
    assert search.send(scored) == Prune([c, a], "rank")
    assert search.send([c, a]) == Expand([d, b], [2, 2])
    steps = [step(3, 0), step(3, 1), step(1, 0), step(1, 1)]
    assert search.send(steps) == Score(steps, lookahead=3)
    scored = [step(3, 0, score=0.2), step(3, 1, score=0.9, done=True), step(1, 0, score=0.6), step(1, 1, score=0.1)]
    assert search.send(scored) == Prune([scored[3]], "rank"), "the finished one leaves the beam"
    assert search.send([]) == Expand([scored[2], scored[0]], [2, 2], to_end=True)
    answers = [step(1, 0, 0, score=0.5, done=True)]
    assert search.send(answers) == Score(answers, lookahead=3)
    assert search.send(answers) == Prune([], "rank")
    assert ended(search, [])


def test_a_beam_width_that_does_not_divide_n_is_refused_before_the_first_move():
    with pytest.raises(BadSetting, match="must divide"):
        next(lookahead_search(ROOT, n=6, beam_width=4))


@pytest.mark.parametrize("ahead", [-1, 17, 1.5, "much"])
def test_a_look_out_of_range_is_refused_with_the_range(ahead):
    with pytest.raises(BadSetting, match=r"lookahead is .*from 0 to 16"):
        checked_settings(lookahead_search, {"lookahead": ahead})


def test_the_best_answer_wins():
    assert default_rule(lookahead_search) == "best"


def lanes(text, rng):
    """The lane `fair` looks well and leads to 7; the lane `foul` looks badly and leads to 8."""
    lane = written(text).split("\n\n")[0]
    if not lane:
        return f"{rng.choice(['fair', 'foul'])}\n\n", "step"
    return f"\\boxed{{{7 if lane == 'fair' else 8}}}", "eos"


def by_looks(problem, steps):
    """Of a first step its looks, of an answer its truth."""
    return {"fair\n\n": 0.9, "foul\n\n": 0.2, "\\boxed{7}": 0.1, "\\boxed{8}": 1.0}[steps[-1]]


def kept(lookahead):
    settings = {"n": 8, "beam_width": 8, "lookahead": lookahead, "max_depth": 2}
    run = search("lookahead_search", lanes, verifier_of(by_looks), settings=settings)
    [records] = drive(run)
    assert {node.text for node in run.tree.children(())} == {"fair\n\n", "foul\n\n"}
    gone = {event.node for event in only(records, NodePruned)}
    [left] = [node for node in run.tree.children(()) if node.id not in gone]
    return left.text, run.tree.correct, len(only(records, LookedAhead))


def test_the_look_ahead_decides_which_step_is_kept():
    assert kept(0) == ("fair\n\n", False, 0)
    assert kept(1) == ("foul\n\n", True, 2), "one look for each of two different first steps: twins are not looked ahead of"


@pytest.mark.parametrize("policy", ["fair", "lines", "answers everywhere", "one character, cut"])
@pytest.mark.parametrize("verifier", ["fair", "fails now and then"])
def test_without_a_look_it_is_beam_search(policy, verifier):
    settings = {"n": 4, "beam_width": 2, "max_depth": 4}
    plan = {"seed": 3, "max_step_tokens": 6}
    [mine] = drive(search("lookahead_search", policy, verifier, settings=settings | {"lookahead": 0}, **plan))
    [beam] = drive(search("beam_search", policy, verifier, settings=settings, **plan))
    (started, *mine), (other, *beam) = (comparable([replace(record, line=None) for record in stream]) for stream in (mine, beam))
    assert mine == beam and len(mine) > 3
    assert started != other


def test_every_open_step_is_looked_ahead_of_and_no_finished_one():
    run = search("lookahead_search", "fair", seed=2)
    [records] = drive(run)
    [started] = only(records, SearchStarted)
    assert started.problem == PROBLEM.text and started.settings["lookahead"] == 2
    looked = [event.node for event in only(records, LookedAhead)]
    assert looked and len(set(looked)) == len(looked)
    twins = {event.node for event in only(records, NodePruned) if event.reason == "duplicate"}
    asked = {event.node for event in only(records, NodeScored)} - twins
    to_end = {id for id in asked if id in run.whole}
    assert set(looked) == {id for id in asked - to_end if not run.tree.nodes[id].terminal}
    order = [(type(event), event.node) for event in events(records) if isinstance(event, NodeAdded | LookedAhead | NodeScored)]
    for id in looked:
        assert order.index((NodeAdded, id)) < order.index((LookedAhead, id)) < order.index((NodeScored, id))
