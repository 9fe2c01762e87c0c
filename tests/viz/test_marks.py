"""Marks and colours are the live view's, and can be seen."""

from __future__ import annotations

import re

import pytest

from tts_explorer.viz import marks
from tts_explorer.viz.marks import DARK, FATES, LIGHT, SAYS, SHAPES, TICK, Palette, contrast
from tts_explorer.viz.view_files import SCRIPTS, read


def constant(name: str, file: str) -> str:
    return re.search(rf"const {name} = (\{{.*?\n\}}|'[^']*');", read(file), re.DOTALL)[1]


def test_shapes_and_words_are_those_of_the_live_view() -> None:
    assert dict(re.findall(r"(\w+): '(M[^']*)'", constant("SHAPES", "draw.js"))) == SHAPES
    assert constant("TICK", "draw.js") == f"'{TICK}'"
    told = constant("FATES", "words.js")
    assert dict(re.findall(r"(\w+): \{ word: '[^']*', shape: '(\w+)'", told)) == FATES
    assert dict(re.findall(r"(\w+): \{ word: '[^']*', shape: '\w+', says: '([^']*)'", told)) == SAYS


@pytest.mark.parametrize(("palette", "selector"), [(LIGHT, ".search {"), (DARK, ".dark & .search {")])
def test_colours_are_those_of_the_live_view(palette: Palette, selector: str) -> None:
    block = read("view.css").split(selector)[1].split("}")[0]
    css = {name: re.search(rf"--{name}: [^;]*?(#\w+)\)?;", block)[1] for name in marks.Palette.__slots__ if name != "lanes"}
    assert {name: getattr(palette, name) for name in css} == css


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_marks_and_text_stand_out(palette: Palette) -> None:
    for name in ("ink", "quiet", "gone", "right", "wrong", "path"):
        assert contrast(getattr(palette, name), palette.card) >= 4.5, name
    for colour in (palette.edge, *palette.lanes, *(palette.against(0.5),)):
        assert contrast(colour, palette.card) >= 3 or colour == palette.card, colour
    for tenth in range(11):
        assert contrast(palette.against(tenth / 10), palette.ramp(tenth / 10)) >= 3


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_ramp_goes_one_way(palette: Palette) -> None:
    steps = [contrast(palette.ramp(i / 20), palette.low) for i in range(21)]
    assert steps == sorted(steps) and palette.ramp(-1) == palette.low and palette.ramp(2) == palette.high


def test_the_view_has_the_scripts_that_are_named() -> None:
    assert len(set(SCRIPTS)) == len(SCRIPTS) and all(read(name) for name in SCRIPTS)
