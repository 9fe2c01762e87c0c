"""Strategies are found by name and described by their keyword arguments."""

import re
from dataclasses import astuple, replace

import pytest
from worlds import STRATEGIES

from tts_explorer.errors import BadSetting, UnknownName
from tts_explorer.moves import BeamWidth, Choice, Search
from tts_explorer.strategies import (
    about_of,
    checked_settings,
    default_rule,
    settings_of,
    source_of,
    strategy_named,
    strategy_names,
    title_of,
)
from tts_explorer.strategies.beam_search import beam_search
from tts_explorer.strategies.greedy import greedy


def test_every_file_is_a_strategy_of_its_name_with_a_title_and_a_docstring():
    assert set(STRATEGIES) <= set(strategy_names())
    for name in strategy_names():
        strategy = strategy_named(name)
        assert strategy.__name__ == name and title_of(strategy) and strategy.__doc__
        assert default_rule(strategy) in ("best", "majority", "weighted", "last")
        for setting, default in settings_of(strategy).values():
            fits = default in setting.options if isinstance(setting, Choice) else setting.low <= default <= setting.high
            assert fits and setting.effect.endswith(".")
        assert checked_settings(strategy, {}) == {key: default for key, (_, default) in settings_of(strategy).items()}


@pytest.mark.parametrize("name", strategy_names())
def test_every_strategy_names_its_paper_and_how_it_differs_from_the_reference_tool(name):
    about = about_of(strategy_named(name))
    assert re.search(r"\(.*\b(19|20)\d\d\b", about, re.DOTALL) and "reference tool" in about


def test_settings_of_one_name_have_one_range_and_one_default():
    """Strategies share a slider on the page."""
    found = {}
    for name in strategy_names():
        for key, (setting, default) in settings_of(strategy_named(name)).items():
            described = astuple(replace(setting, effect=""))
            assert found.setdefault(key, (same := (*described, default))) == same, (name, key)


@pytest.mark.parametrize("name", ["beam", "", "__init__", "../moves", "os", "Greedy"])
def test_an_unknown_name_is_refused_with_what_there_is(name):
    with pytest.raises(UnknownName, match="choose one of .*beam_search"):
        strategy_named(name)


def test_settings_are_checked_against_the_function():
    assert checked_settings(beam_search, {"n": "8"}) == {"n": 8, "beam_width": 4, "max_depth": 12}
    with pytest.raises(BadSetting, match="no setting 'width': it has n, beam_width, max_depth"):
        checked_settings(beam_search, {"width": 3})
    with pytest.raises(BadSetting, match="no settings"):
        checked_settings(greedy, {"n": 3})
    with pytest.raises(BadSetting, match="n is 0"):
        checked_settings(beam_search, {"n": 0})


def test_a_rule_and_a_title_are_read_off_the_file():
    def local(root, *, m: BeamWidth = 2) -> Search:
        yield

    assert default_rule(local) == "best" and settings_of(local)["m"][1] == 2


def test_the_source_is_the_function_and_its_first_line():
    source, first = source_of(beam_search)
    assert source.startswith("def beam_search(") and first > 1 and "return\n" in source
