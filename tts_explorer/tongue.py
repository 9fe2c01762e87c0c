"""A reader's language: English sentences, as they stand in the code, and what is said for them elsewhere.

`assets/words/` holds two dictionaries a language, from English: `LANGUAGE.json` is what the browser says too, and gets;
`server/LANGUAGE.json` what the program writes alone. A plural is an object of its forms, as CLDR names them, under the English
sentence of several. What a dictionary lacks is said in English. Texts of people and models are never looked up. It knows no page.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from tts_explorer.assets import folder
from tts_explorer.errors import UserError

LANGUAGES = ("it", "pt", "pl")
"""Besides English."""
MARKS = {"en": (".", ",", 4), "it": (",", ".", 5), "pt": (",", ".", 4), "pl": (",", "\N{NO-BREAK SPACE}", 5)}
"""What stands before decimals and between thousands, and from how many digits on."""
Dictionary = dict[str, Any]


@cache
def dictionary(language: str, *, browser: bool = False) -> Dictionary:
    """What stands for English in a language, in all or in the browser; empty for English and for languages without a file."""
    if language not in LANGUAGES:
        return {}
    names = [f"{language}.json", *([] if browser else [f"server/{language}.json"])]
    return {english: said for name in names for english, said in orjson.loads((folder() / "words" / name).read_bytes()).items()}


@dataclass(frozen=True)
class Tongue:
    """A language to say things in: called with an English sentence, it says it.

    Values are put in where the sentence has their names in braces, which may say how as `str.format` has it. Numbers get the
    language's marks, and an error is said in the language too. Without values a sentence is taken as it is, braces and all.

    >>> Tongue()("{n:,} steps, {part:.0%} kept", n=1200, part=0.25)
    '1,200 steps, 25% kept'
    """

    language: str = "en"
    """Its code; one that there is no dictionary of is English."""

    def __call__(self, english: str, /, **values: object) -> str:
        said = dictionary(self.language).get(english)
        return self._filled(said if isinstance(said, str) else english, values)

    def plural(self, count: float, one: str, more: str, /, **values: object) -> str:
        """A sentence that counts: English says it of one thing, or of `more`, under which the dictionaries have their forms.

        {n} is the count, unless it is given.
        """
        forms = dictionary(self.language).get(more)
        if isinstance(forms, dict):
            words = forms.get(form(self.language, count), forms["other"])
        else:
            words = one if count == 1 else more
        return self._filled(words, {"n": self.number(count), **values})

    def of(self, error: UserError) -> str:
        """What went wrong."""
        return self(error.sentence, **error.values)

    def number(self, number: float, spec: str = ",") -> str:
        """A number as `format` writes it, with this language's marks.

        >>> Tongue("it").number(1234.5, ",.2f"), Tongue("it").number(12345)
        ('1234,50', '12.345')
        """
        point, group, least = MARKS.get(self.language, MARKS["en"])
        text = format(number, spec)
        if sum(letter.isdigit() for letter in text.partition(".")[0]) < least:
            text = text.replace(",", "")
        return text.translate({ord("."): point, ord(","): group})

    @property
    def separators(self) -> str:
        """The mark before decimals and the one between thousands, as Plotly takes them."""
        return "".join(MARKS.get(self.language, MARKS["en"])[:2])

    def _filled(self, words: str, values: dict[str, object]) -> str:
        return _Filling(self).vformat(words, (), values) if values else words


ENGLISH = Tongue()


def form(language: str, count: float) -> str:
    """Which plural a number takes, by CLDR's rules; "many" of Italian and Portuguese, of millions, is "other" here.

    >>> [form("pl", count) for count in (1, 2, 5, 12, 22, 1.5)]
    ['one', 'few', 'many', 'many', 'few', 'other']
    """
    if count == 1 or (language == "pt" and 0 <= count < 2):
        return "one"
    if language != "pl" or count != int(count):
        return "other"
    return "few" if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else "many"


class _Filling(string.Formatter):
    """Puts values into words as a tongue writes them."""

    def __init__(self, tongue: Tongue):
        self.tongue = tongue

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, UserError):
            return self.tongue.of(value)
        counted = isinstance(value, int | float) and not isinstance(value, bool)
        return self.tongue.number(value, format_spec) if counted else format(value, format_spec)
