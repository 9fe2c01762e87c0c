"""The page in four languages: the dictionaries are whole for what is looked up, and the browser says what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import gradio as gr
import pytest
from playwright.sync_api import Page, expect
from ui.stored import Site, served

from tts_explorer.assets import folder
from tts_explorer.tasks import task_named, task_names
from tts_explorer.ui.words import LANGUAGE, LANGUAGES, dictionary, i18n, spoken, worded

expect.set_options(timeout=20_000)
PLACES = ("frame", "lens", "about", "shelf", "compare", "downloads", "view")
OURS = ("frame", "lens", "about", "shelf", "compare", "downloads", "view")
"""Those whose scripts speak by `tr`."""
SAME = {"SVG", "PNG", "GraphML", "CSV", "n"}
"""The same in every language, so in no dictionary."""


class Markup(HTMLParser):
    """The words of a file of markup: texts, and what is read out or shown at a pointer."""

    def __init__(self, text: str):
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attributes if value and name in ("aria-label", "title", "placeholder")}

    def handle_data(self, data: str) -> None:
        self.found.add(" ".join(data.split()))


def in_markup(place: str) -> set[str]:
    found = set[str]()
    for path in (folder() / place).glob("*.html"):
        found |= Markup(path.read_text(encoding="utf-8")).found
    return {words for words in found if re.search("[A-Za-z]{2}", words)} - SAME


def in_scripts(place: str) -> set[str]:
    """What `tr` is called with, written out."""
    text = "".join(path.read_text(encoding="utf-8") for path in (folder() / place).glob("*.js"))
    return set(re.findall(r"\b(?:tr|inWords)\('((?:[^'\\]|\\.)*)'", text)) - {""}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", PLACES)
def test_everything_that_stands_in_markup_is_in_every_dictionary(place: str, language: str) -> None:
    assert sorted(in_markup(place) - set(dictionary(language))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_scripts_say_is_in_every_dictionary(language: str) -> None:
    wanted = set().union(*map(in_scripts, OURS)) | {task_named(name).TITLE for name in task_names()}
    assert sorted(wanted - set(dictionary(language))) == []


def test_dictionaries_have_the_same_keys_and_leave_no_name_out() -> None:
    first, *others = map(dictionary, LANGUAGES)
    for other in others:
        assert set(other) == set(first)
    for language in LANGUAGES:
        for english, said in dictionary(language).items():
            for form in said.values() if isinstance(said, dict) else [said]:
                assert set(re.findall(r"\{\w+\}", form)) == set(re.findall(r"\{\w+\}", english)), english
                assert form.strip() and "__i18n__" not in form


def test_english_is_whole_and_every_language_says_its_code() -> None:
    known = i18n().translations_dict
    assert set(known) == {"en", *LANGUAGES}
    assert all(key == said for key, said in known["en"].items() if key != LANGUAGE)
    assert [known[language][LANGUAGE] for language in ("en", *LANGUAGES)] == ["en", *LANGUAGES]


def test_a_language_without_a_word_says_it_in_english() -> None:
    assert spoken("nowhere", "pl") == "nowhere" and spoken("score of the answer", "xx") == "score of the answer"
    assert spoken("Version {version}", "it", version="1") == "Versione 1" and spoken("{a} {b}", a=1) == "1 {b}"


def test_only_the_pages_own_sentences_are_marked() -> None:
    assert worded("Start search") == str(gr.I18n()("Start search"))
    assert worded("<b>Start</b>") == "&lt;b&gt;Start&lt;/b&gt;"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("words")) as made:
        yield made


@pytest.fixture
def speaking(browser, site: Site) -> Iterator[Callable[[str, str], Page]]:
    contexts, errors = [], []

    def opened(language: str, place: str) -> Page:
        contexts.append(browser.new_context(locale=language, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(site.url + place, wait_until="domcontentloaded")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


@pytest.mark.browser
@pytest.mark.parametrize("language", ["it-IT", "pt-BR", "pl"])
def test_the_browsers_language_is_spoken(speaking, language: str) -> None:
    words = dictionary(language[:2])
    page = speaking(language, "")
    expect(page.locator("html")).to_have_attribute("lang", language[:2])
    expect(page.locator("#start")).to_have_text(words["Start search"])
    expect(page.locator("#lead .lead")).to_have_text(words["Watch a small language model search for an answer: every step it"
                                                           " tries, how a verifier scores it, what is kept."])  # fmt: skip
    expect(page.locator("#search-view .candidates h3, #search-view .candidates h2").first).to_have_text(words["Candidates"])
    for name in ("Explore", "Sessions", "Compare", "Lens", "About"):
        expect(page.locator(".nav-holder").get_by_role("link", name=words[name], exact=True)).to_have_count(1)
    page.goto(f"{site_of(page)}sessions", wait_until="domcontentloaded")
    expect(page.locator("#shelf .nothing")).to_have_text(
        words["No session yet. Every search is kept: start one on the Explore page, or import a file."]
    )
    none = {"it": "^0 sessioni$", "pt": "^0 sess", "pl": "^0 sesji$"}[language[:2]]
    expect(page.locator("#shelf .found")).to_have_text(re.compile(none))
    page.goto(f"{site_of(page)}lens", wait_until="domcontentloaded")
    whole = words[next(key for key in words if key.endswith("(expected calibration error)."))]
    expect(page.locator("#calibration-said")).to_contain_text(re.search(r"\((.*)\)", whole)[1])
    expect(page.locator("#lead h1")).to_have_text(words["A PRM under the lens"])


def site_of(page: Page) -> str:
    return page.url.rsplit("/", 1)[0] + "/"


@pytest.mark.browser
def test_another_language_is_english(speaking) -> None:
    page = speaking("de", "about")
    expect(page.locator("#about .models li").first).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#lead h1")).to_have_text("About")
