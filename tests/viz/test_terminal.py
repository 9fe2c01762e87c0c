"""The tree in a terminal: fates in words, large trees on few lines, hostile text harmless."""

import io

from rich.console import Console
from viz.streams import ahead, refinement, verified
from worlds import drive, events, search

from tts_explorer.cost import Cost
from tts_explorer.events import NodeAdded, NodePruned, NodeScored, SearchStarted
from tts_explorer.tree import SearchTree
from tts_explorer.viz.terminal import picture, plain, summary


def printed(thing, width=100):
    out = io.StringIO()
    Console(file=out, width=width, markup=False, emoji=False, highlight=False).print(thing)
    return out.getvalue()


def tree_of(*nodes, verifier="v"):
    """A tree from (id, text, reward or None, reason or None)."""
    stream = [SearchStarted("Which way?", "by hand", verifier=verifier)]
    for id, text, reward, reason in nodes:
        stream.append(NodeAdded(id, text, 1, 0.0, "step", False))
        stream += [NodeScored(id, reward)] if reward is not None else []
        stream += [NodePruned(id, reason)] if reason else []
    return SearchTree.of(stream)


def test_pruned_leaves_of_one_parent_are_one_line():
    nodes = [((0,), "kept", 0.9, None)] + [((i,), "dropped", i / 100, "rank") for i in range(1, 12)]
    text = printed(picture(tree_of(*nodes, ((12,), "twin", 0.5, "duplicate"))))
    assert "+12 pruned (rank 11, duplicate 1, best 0.50)" in text
    assert "0.90 kept" in text and "dropped" not in text


def test_one_pruned_leaf_is_shown_with_its_reason():
    text = printed(picture(tree_of(((0,), "kept", 0.9, None), ((1,), "dropped", 0.1, "rank"))))
    assert "0.10 pruned (rank) dropped" in text


def test_chains_need_no_indent():
    nodes = [((0,) * depth, f"step {depth}", None, None) for depth in range(1, 41)]
    lines = printed(picture(tree_of(*nodes))).splitlines()
    assert len(lines) == 41 and lines[40].index("step 40") == lines[2].index("step 2")


def test_a_tree_that_is_too_tall_is_drawn_compactly():
    nodes = [((i,) + (0,) * depth, f"step {depth}", None, None) for i in range(20) for depth in range(10)]
    whole, compact = picture(tree_of(*nodes)), picture(tree_of(*nodes), rows=50)
    assert printed(whole).count("\n") == 201
    assert printed(compact).count("\n") == 21 and "10 steps …   –  step 9" in printed(compact)


def test_every_fate_is_in_words():
    (records,) = drive(search("beam_search", seed=3, settings={"n": 8, "beam_width": 2, "max_depth": 4}))
    tree = SearchTree.of(events(records))
    text = printed(picture(tree))
    for node in tree.nodes.values():
        if node.answer:
            assert ("✓ right" if tree.grades[node.answer] else "✗ wrong") in text
    assert text.count("★ chosen") == 1 and "pruned (" in text
    assert "\x1b" not in text


def test_two_hundred_nodes_stay_readable():
    (records,) = drive(search("dvts", "never ends", settings={"n": 32, "beam_width": 4, "max_depth": 7}))
    tree = SearchTree.of(events(records))
    text = printed(picture(tree))
    assert len(tree.nodes) > 200 and text.count("\n") < 0.75 * len(tree.nodes)
    assert max(map(len, text.splitlines())) <= 100


def test_a_narrow_terminal_cuts_text_and_keeps_scores_and_fates():
    text = printed(picture(tree_of(((0,), "a long way to go " * 9, 0.25, "rank"))), width=30)
    assert "0.25 pruned (rank)" in text and max(map(len, text.splitlines())) <= 30


def test_a_bushy_tree_deeper_than_any_terminal_is_counted():
    nodes = [((0,) * depth + (i,), "s", None, None) for depth in range(600) for i in range(2)]
    assert "deeper" in printed(picture(tree_of(*nodes)))


def test_without_a_verifier_there_is_no_score():
    assert "– " not in printed(picture(tree_of(((0,), "step", None, None), verifier=None)))


def test_what_a_strategy_announces_stands_in_brackets():
    drawn = {}
    for name in ("mcts", "rebase", "particle_filter"):
        (records,) = drive(search(name, "never ends", settings={"n": 6}))
        drawn[name] = printed(picture(SearchTree.of(events(records))))
    assert " visits, value 0." in drawn["mcts"] and "[1 visit" not in drawn["mcts"]
    assert "[share 2] " in drawn["rebase"] and "weight" not in drawn["rebase"]
    assert "[weight 0." in drawn["particle_filter"] and "share" not in drawn["particle_filter"]
    assert "0.62 ★ chosen, ✓ right [5/8 yes] \\boxed{89}" in printed(picture(SearchTree.of(events(verified()))))


def test_feedback_and_look_aheads_have_lines_of_their_own_where_there_is_room():
    tree = SearchTree.of(events(refinement()))
    text = printed(picture(tree))
    assert "↳ feedback by verifier, not accepted: The first mistake is in step 2." in text
    assert "↳ feedback by self, can't tell: Step 1" in text and "revises 1.0.0 42 * 3 = 126" in text
    assert "↳ looked ahead: 126 - 37 = 89 \\boxed{89}" in printed(picture(SearchTree.of(events(ahead()))))
    compact = printed(picture(tree, rows=5))
    assert "3 steps, revises 0.0.0 …" in compact and "[feedback: can't tell]" in compact and compact.count("\n") == 4


def test_nothing_in_a_text_steers_the_terminal():
    assert plain("a\tb\n\n\x1b[2J\x07\u202e[red]") == "a b \ufffd[2J\ufffd\ufffd[red]"


def test_an_empty_tree_and_an_unfinished_one():
    assert printed(picture(SearchTree())) == "a search\n"
    text = printed(summary(tree_of(((0,), "s", 0.5, None)), Cost(), "interrupted"))
    assert "none: nothing was finished" in text and "interrupted" in text
