"""What is said of the ladder: only what its evidence says."""

from dataclasses import replace

import pytest
from ladders import HURTS, MEDIUM, NANO, SPECIALIST, TIES, WINS, cell, evidence, of_family

from tts_explorer.errors import BadSetting
from tts_explorer.lab.contests import contests, farthest, harms, nearest, squares, thriftiest
from tts_explorer.lab.evidence import Evidence
from tts_explorer.lab.ladder_tables import BEGIN, END, losses, markdown, sizes, spreads, winners
from tts_explorer.lab.markdown import put_between


def with_cells(*cells, rungs=()):
    made = evidence()
    return Evidence([*made.rungs, *rungs], [*made.cells, *cells], made.about)


def one_line(text):
    return " ".join(text.split("\n\n")[0].split())


def rows(text):
    return [[part.strip() for part in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")][2:]


def test_a_small_policy_wins_where_intervals_lie_apart():
    won = thriftiest(contests(evidence(), WINS))
    assert (won.search.policy, won.search.n, won.greedy.policy) == (NANO.name, 16, MEDIUM.name)
    assert won.ratio == 16 and won.spent == pytest.approx(14 / 16)
    assert thriftiest(contests(evidence(), TIES)) is None and farthest(contests(evidence(), TIES)) is None
    near = nearest(contests(evidence(), TIES))
    assert near.search.accuracy > near.greedy.accuracy and not near.won


def test_at_more_flops_it_wins_but_not_thriftily():
    dear = with_cells(cell(NANO, TIES, "best_of_n", 0.8, n=64, flops=99e8))
    assert thriftiest(contests(dear, TIES)) is None and farthest(contests(dear, TIES)).search.n == 64
    assert "at whatever cost on 2 of 3 families (countdown and sat)" in one_line(winners(dear))


def test_the_table_of_winners():
    text = winners(evidence())
    assert "beats a larger one's greedy answer on 1 of 3 families (countdown)" in one_line(text)
    assert "The largest ratio at no more FLOPs is 16.0." in one_line(text)
    assert "`tts-explorer bench ladder --part sizes --part search --problems 500 --seeds 3`" in one_line(text)
    hurt, won, tied = rows(text)
    assert won == ["countdown", "`nano` `beam_search` n=16", "80.0 (77.9 – 81.9)", "`medium`", "60.0 (55.6 – 64.2)", "16.0 ×",
                   "0.88 ×", "at no more FLOPs"]  # fmt: skip
    assert (hurt[0], hurt[-1], tied[0], tied[-1]) == (HURTS, "no: the nearest", TIES, "no: the nearest")


def test_a_specialist_that_goes_farther_has_a_row_besides():
    special = cell(SPECIALIST, TIES, "beam_search", 0.9, n=4, flops=4e8)
    found = [row for row in rows(winners(with_cells(special, rungs=[SPECIALIST]))) if row[0] == TIES]
    assert [(row[1].split("`")[1], row[-1]) for row in found] == [("nano", "no: the nearest"), ("nano-sat", "at no more FLOPs")]


def test_a_specialist_whose_answers_a_program_checks_stands_beside_the_generalist():
    checked = [cell(rung, TIES, "best_of_n", 0.8, n=16, flops=9e8, verifier="program") for rung in (NANO, SPECIALIST)]
    found = [row for row in rows(winners(with_cells(*checked, rungs=[SPECIALIST]))) if row[0] == TIES]
    assert [row[1].split("`")[1] for row in found] == ["nano", "nano", "nano-sat"]
    assert [row[-1] for row in found] == ["no: the nearest", "at no more FLOPs", "at no more FLOPs"]
    dear = [replace(one, flops=99e8) for one in checked]
    assert len([row for row in rows(winners(with_cells(*dear, rungs=[SPECIALIST]))) if row[0] == TIES]) == 2


def test_sizes_say_on_how_many_families_they_count():
    text = sizes(evidence())
    said = "On level 3 greedy accuracy rises with every step in size on 3 of 3 families,"
    assert f"{said} and with intervals apart at every step on 3 of 3 families." in one_line(text)
    assert rows(text)[1] == ["`medium`", "4.0M", "95.0 (92.7 – 96.6)", "60.0 (55.6 – 64.2)", "60.0 (55.6 – 64.2)"]
    flat = Evidence(evidence().rungs, [*of_family(WINS, 0.3, 0.4, 0.4, 0.3), *of_family(TIES, 0.3, 0.4, 0.4, 0.32)])
    said = "in size on 1 of 2 families (sat), and with intervals apart at every step on none of 2 families."
    assert said in one_line(sizes(flat))


def test_all_levels_together_have_a_table_of_their_own_once_each_was_measured():
    harder = [
        cell(rung, WINS, "greedy", share, level=level) for level in (1, 2, 4) for rung, share in ((NANO, 0.9), (MEDIUM, 0.8))
    ]
    assert "together" not in sizes(with_cells(*harder)), "level 5 is missing"
    last = [cell(NANO, WINS, "greedy", 0.0, level=5), cell(MEDIUM, WINS, "greedy", 0.4, level=5)]
    text = sizes(with_cells(*harder, *last))
    assert "On levels 1 to 5 together greedy accuracy rises with every step in size on 1 of 1 families" in one_line(text)
    whole = rows(text.split("\n\n")[2])
    assert whole == [["`nano`", "0.25M", "", "60.0 (58.1 – 61.9)", ""], ["`medium`", "4.0M", "", "68.0 (66.1 – 69.8)", ""]]


def test_where_search_hurts_is_named_with_whether_intervals_lie_apart():
    (harm,) = harms(evidence())
    assert harm.scored.task == HURTS and harm.other.how == "self_consistency" and harm.apart
    assert rows(losses(evidence()))[0][-1] == "apart"
    assert "On 1 of 3 levels of families and policies" in one_line(losses(evidence()))
    slightly = harms(with_cells(cell(NANO, WINS, "self_consistency", 0.81, n=8)))
    assert [(one.scored.task, one.apart) for one in slightly] == [(HURTS, True), (WINS, False)]
    more = harms(with_cells(cell(NANO, WINS, "self_consistency", 0.99, n=64)))
    assert len(more) == 1, "a majority of more samples than the verifier was given is no rival"
    none = Evidence(evidence().rungs, of_family(WINS, 0.3, 0.8, 0.4, 0.6))
    assert rows(losses(none)) == [] and "On 0 of 1" in losses(none)


def test_only_the_worst_losses_are_shown():
    cells = [replace(c, level=level) for level in (1, 2, 3, 4) for c in evidence().cells]
    many = Evidence(evidence().rungs, [replace(c, task=f"{c.task}{i}") for i in range(4) for c in cells])
    assert len(rows(losses(many))) == 10 and "On 16 of 48" in losses(many) and "The first 10" in one_line(losses(many))


def test_repeats_differ_in_tokens_more_than_in_accuracy():
    small = replace(NANO, name="bundled:small")
    text = spreads(Evidence([small], [cell(small, WINS, "beam_search", 0.5, n=16)]))
    assert "accuracy differs by at most 2.0 points, and the tokens that one problem takes by 25% to 25%" in one_line(text)
    assert rows(text) == [["countdown", "50.0", "49.0 – 51.0", "1,440", "25%"]]
    assert spreads(evidence()) == ""


def test_the_best_strategy_by_difficulty():
    found = {(square.policy.name, square.difficulty): square for square in squares(evidence())}
    assert set(found) == {(NANO.name, "easy"), (NANO.name, "medium")}
    easy, medium = found[NANO.name, "easy"], found[NANO.name, "medium"]
    assert easy.best == ("self_consistency",) and easy.gain == pytest.approx(0.08) and easy.places == ((HURTS, 3),)
    assert medium.best == ("beam_search",) and medium.greedy == pytest.approx(0.3)
    assert medium.accuracy == pytest.approx((0.80 + 0.62) / 2) and medium.places == ((WINS, 3), (TIES, 3))


def test_strategies_whose_intervals_overlap_are_both_named_and_greedy_may_be_best():
    close = cell(NANO, HURTS, "best_of_n", 0.87, n=16)
    (easy,) = [square for square in squares(with_cells(close)) if square.difficulty == "easy"]
    assert easy.best == ("self_consistency", "best_of_n")
    worse = Evidence(evidence().rungs, of_family(HURTS, 0.8, 0.3, 0.7, 0.9))
    (easy,) = squares(worse)
    assert easy.best == ("greedy",) and easy.gain == 0
    partly = with_cells(cell(NANO, WINS, "dvts", 0.99, n=16))
    assert all("dvts" not in square.best for square in squares(partly)), "it was measured on one of two families only"


def test_all_stands_between_the_marks_and_what_is_around_them_stays(tmp_path):
    readme, made = tmp_path / "README.md", markdown(evidence(), {"What it shows": "pictures/x.svg"})
    readme.write_text(f"Before\n{BEGIN}\nold\n{END}\nAfter\n")
    for _ in range(2):
        put_between(readme, BEGIN, END, made)
        assert readme.read_text() == f"Before\n{BEGIN}\n{made}\n{END}\nAfter\n"
    assert made.startswith("![What it shows](pictures/x.svg)\n\n**Sizes.**")
    assert "Measured up to 2026-11-21" in " ".join(made.split())
    assert all(len(line) <= 130 for line in made.splitlines() if not line.startswith("|"))


def test_without_a_cell_nothing_is_said():
    with pytest.raises(BadSetting, match="holds no cell yet: `tts-explorer bench ladder`"):
        markdown(Evidence([], []), {})


def test_what_a_program_checks_is_said_apart():
    easy = replace(cell(NANO, TIES, "best_of_n", 0.95, n=8, flops=2e8), verifier="program")
    text = winners(with_cells(easy))
    found = [row for row in rows(text) if row[0] == TIES]
    assert [row[-1] for row in found] == ["no: the nearest", "at no more FLOPs"]
    assert found[1][1] == "`nano` `best_of_n` n=8, answers checked by a program"
    assert "on 2 of 3 families (countdown and sat)" in one_line(text)
    assert "Where no program checks the answers, it is so on 1 of 3 families (countdown)." in one_line(text)
    assert "--part checked" in one_line(text)
    assert harms(with_cells(easy)) == harms(evidence()) and squares(with_cells(easy)) == squares(evidence())
