"""Saying things in the reader's language, numbers and errors among them."""

from __future__ import annotations

import pickle

import pytest

from tts_explorer.errors import BadSetting, UserError
from tts_explorer.tongue import ENGLISH, Tongue, dictionary, form

POLISH, ITALIAN = Tongue("pl"), Tongue("it")


def test_a_language_without_a_word_says_it_in_english() -> None:
    assert POLISH("nowhere") == "nowhere" and Tongue("xx")("score of the answer") == "score of the answer"
    assert ITALIAN("score of the answer") == "punteggio della risposta"
    assert ITALIAN("Version {version}", version="{1}") == "Versione {1}"
    assert ITALIAN("{self} {english}", self=1, english=2) == "1 2" and ITALIAN("as {it} is") == "as {it} is"


def test_plurals_have_their_forms() -> None:
    said = [POLISH.plural(n, "{n} session", "{n} sessions") for n in (1, 3, 5, 22, 12345)]
    assert said == ["1 sesja", "3 sesje", "5 sesji", "22 sesje", "12\N{NO-BREAK SPACE}345 sesji"]
    assert ENGLISH.plural(1, "{n} thing of {kind}", "{n} things of {kind}", kind="x") == "1 thing of x"
    assert ENGLISH.plural(1200, "one", "{n} things") == "1,200 things" and ENGLISH.plural(1.4, "one", "{n}", n="1.4") == "1.4"
    assert [form("pt", n) for n in (0, 1, 1.5, 2)] == ["one", "one", "one", "other"]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["1,234", "12,345.5", "0.5", "12%"]),
        ("it", ["1234", "12.345,5", "0,5", "12%"]),
        ("pt", ["1.234", "12.345,5", "0,5", "12%"]),
        ("pl", ["1234", "12\N{NO-BREAK SPACE}345,5", "0,5", "12%"]),
    ],
)
def test_numbers_are_written_as_the_browser_writes_them(language: str, said: list[str]) -> None:
    tongue = Tongue(language)
    assert [tongue.number(1234), tongue.number(12345.5), tongue("{x}", x=0.5), tongue("{x:.0%}", x=0.12)] == said
    assert tongue("{x} {y}", x="0.5", y=True) == "0.5 True", "what is quoted stays as it is"


def test_an_error_keeps_its_sentence_and_its_values_apart_also_in_another_process() -> None:
    error = pickle.loads(pickle.dumps(BadSetting("{name} is {value!r}, not {n:,}", name="n", value="a{b}", n=1200)))
    assert str(error) == "n is 'a{b}', not 1,200" and isinstance(error, BadSetting)
    assert error.values == {"name": "n", "value": "a{b}", "n": 1200} and POLISH.of(error) == "n is 'a{b}', not 1200"
    assert str(UserError("{as} it is")) == "{as} it is" == POLISH.of(UserError("{as} it is"))
    inner = UserError("{n} of", n=0.5)
    assert (
        str(UserError("so: {why}", why=inner)) == "so: 0.5 of" and ITALIAN.of(UserError("so: {why}", why=inner)) == "so: 0,5 of"
    )


def test_the_browser_gets_only_what_it_says() -> None:
    assert "Votes" in dictionary("it", browser=True) and "median" not in dictionary("it", browser=True)
    assert {"Votes", "median"} <= set(dictionary("it")) and dictionary("en") == {} == dictionary("xx")
