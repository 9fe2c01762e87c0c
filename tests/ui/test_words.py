"""The page in four languages: the dictionaries are whole for what is looked up, and the browser says what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import gradio as gr
import pytest
from playwright.sync_api import Page, expect
from ui.conftest import search
from ui.sentences import said_anywhere
from ui.stored import Site, served

from tts_explorer.assets import folder
from tts_explorer.tasks import task_named, task_names
from tts_explorer.tongue import LANGUAGES, dictionary
from tts_explorer.ui.words import LANGUAGE, i18n, worded

expect.set_options(timeout=20_000)
PLACES = ("frame", "lens", "about", "shelf", "compare", "downloads", "view")
OURS = ("frame", "lens", "about", "shelf", "compare", "downloads", "view")
"""Those whose scripts speak by `tr`."""
SAME = {"SVG", "PNG", "GraphML", "CSV", "n"}
"""The same in every language, so in no dictionary."""
TABLES = ("FATES", "REASONS", "RULES", "ENDS", "GIVERS", "STOPS", "STATES", "GRADES", "ACTS")
"""Tables of sentences, which `tr` is called with by name."""
FORMS = {"it": {"one", "other"}, "pt": {"one", "other"}, "pl": {"one", "few", "many", "other"}}
"""What a plural needs, as CLDR names it; "many" of Italian and Portuguese, a million of something, is said as "other"."""
TEXT = r"'((?:[^'\\]|\\.)*)'"
ENGLISH = re.compile(r"\b(the|of|and|is|are|it|its|with|which|steps?|scored?|answer|rule|node|right|kept|open|finished)\b", re.I)
"""Words that no Italian and no Polish sentence has."""


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


def scripts(place: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (folder() / place).glob("*.js"))


def in_scripts(place: str) -> set[str]:
    """What `tr` is called with, written out or in a table."""
    text = scripts(place)
    found = set(re.findall(rf"\b(?:tr|inWords)\({TEXT}", text)) - {""}
    for table in re.findall(rf"^const (?:{'|'.join(TABLES)}) = (.*?);$", text, re.MULTILINE | re.DOTALL):
        found |= set(re.findall(rf"(?<!shape)(?::\s*|\['\S', ){TEXT}", table))
    return found


def counted_in(place: str) -> set[str]:
    """By what English sentence the plurals of a place's scripts are looked up: the second of the two, or the only one."""
    text = scripts(place)
    said = re.findall(rf"\b(?:trPlural|plural)\([^']*?, {TEXT}(?:,\s*{TEXT})?", text)
    things = re.findall(rf"\b(?:trMany|many)\([^']*?, {TEXT}", text)
    return {more or one for one, more in said} | {f"{{n}} {thing}s" for thing in things}


def test_the_places_where_scripts_speak_are_found() -> None:
    assert {"kept or open", "others ranked higher", "The search begins.", "by the truth"} <= in_scripts("view")
    assert {"{n} kept", "{n} steps sampled", "with {own} of {n} votes"} <= counted_in("view")
    assert "Copy the link to {name}" in in_scripts("shelf") and "{n} sessions" in counted_in("shelf")
    assert len(counted_in("view")) == len(re.findall(r"\bplural\(", scripts("view"))) - 1  # one is said in two places


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", PLACES)
def test_everything_that_stands_in_markup_is_in_every_dictionary(place: str, language: str) -> None:
    assert sorted(in_markup(place) - set(dictionary(language, browser=True))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_scripts_say_is_in_every_dictionary(language: str) -> None:
    wanted = set().union(*map(in_scripts, OURS)) | {task_named(name).TITLE for name in task_names()}
    counted = set().union(*map(counted_in, OURS))
    known = dictionary(language, browser=True)
    assert sorted(english for english in wanted if not isinstance(known.get(english), str)) == []
    assert sorted(english for english in counted if not isinstance(known.get(english), dict)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_the_forms_that_their_language_needs(language: str) -> None:
    for english, said in dictionary(language).items():
        if isinstance(said, dict):
            assert FORMS[language] <= set(said) <= FORMS[language] | {"many"}, english
            assert "{n}" in english


def test_dictionaries_have_the_same_keys_and_leave_no_name_out() -> None:
    first, *others = map(dictionary, LANGUAGES)
    for other in others:
        assert set(other) == set(first)
    for language in LANGUAGES:
        for english, said in dictionary(language).items():
            for form in said.values() if isinstance(said, dict) else [said]:
                assert set(re.findall(r"\{[^{}]+\}", form)) == set(re.findall(r"\{[^{}]+\}", english)), english
                assert form.strip() and "__i18n__" not in form


def test_english_is_whole_and_every_language_says_its_code() -> None:
    known = i18n().translations_dict
    assert set(known) == {"en", *LANGUAGES}
    assert all(key == said for key, said in known["en"].items() if key != LANGUAGE)
    assert [known[language][LANGUAGE] for language in ("en", *LANGUAGES)] == ["en", *LANGUAGES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_the_server_says_is_in_every_dictionary(language: str) -> None:
    said, known = said_anywhere(), dictionary(language)
    assert len(said.plain) > 100 and len(said.counted) > 8
    assert sorted(english for english in said.plain if not isinstance(known.get(english), str)) == []
    assert sorted(english for english in said.counted if not isinstance(known.get(english), dict)) == []


def test_whatever_the_server_says_is_written_out_with_its_values() -> None:
    assert said_anywhere().wrong == []


def test_no_value_of_a_control_is_taken_for_a_sentence(site: Site) -> None:
    """Gradio would translate it, and the server would not know it again."""
    words = set(dictionary("it", browser=True))
    for block in site.page.blocks.values():
        if isinstance(block, gr.Radio | gr.Dropdown | gr.Textbox):
            assert block.value not in words or not isinstance(block.value, str), block.value
            assert not {value for _, value in getattr(block, "choices", ())} & words, block.label


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


SAID = {
    "it": (
        "Finita. La risposta è 64, ed è giusta.", "✓ giusta",
        "Finita. Scelta secondo la regola “best”: la risposta finita con il punteggio più alto.",
        "iterazione 3 di 3, 8 candidati", "scelto, giusto", "La ricerca è finita.",
        "Iterazione 1: 8 passi campionati, 2 tenuti, miglior punteggio 0.",
    ),
    "pl": (
        "Ukończone. Odpowiedź to 64; jest poprawna.", "✓ poprawna",
        "Ukończone. Wybrana według reguły „best”: ukończona odpowiedź z najwyższą oceną.",
        "iteracja 3 z 3, 8 kandydatów", "wybrany, poprawny", "Wyszukiwanie się zakończyło.",
        "Iteracja 1: spróbkowano 8 kroków, 2 zachowane, najlepsza ocena 0.",
    ),
}  # fmt: skip
"""Of a search of 24 nodes: its end, the grade, the reason, the candidates, the chosen one's fate, and what the strategy does;
then its first iteration."""


@pytest.mark.browser
@pytest.mark.parametrize("language", SAID)
def test_what_a_search_does_is_told_in_the_readers_language(speaking, site: Site, language: str) -> None:
    site.store.append([(f"said {language}", search())])
    page = speaking(language, f"?session=said {language}")
    view = page.locator("#search-view")
    expect(view.first).to_have_attribute("data-state", "done")
    end, grade, why, round_, fate, ended, first = SAID[language]
    expect(view.locator(".now")).to_have_text(end)
    expect(view.locator(".answer .chip")).to_have_text(grade)
    expect(view.locator(".answer .why")).to_have_text(why)
    expect(view.locator(".candidates .round")).to_have_text(round_)
    expect(view.locator("tr[data-fate=selected] .fate")).to_have_text(fate)
    expect(view.locator(".strategy .doing")).to_have_text(ended)
    for k in (30, 24, 12, 11, 3, 1):
        view.locator(".scrubber").fill(str(k))
        page.wait_for_selector(f"#search-view .scrubber[aria-valuetext*=' {k} ']")
        assert not english_in(page), k
    view.locator(".scrubber").fill("25")
    expect(view.locator(".now")).to_contain_text(first)
    assert not english_in(page)
    other = dictionary("pt")
    page.evaluate("window.pageLanguage = 'pt'; document.dispatchEvent(new CustomEvent('page:language'))")
    expect(view.locator(".legend")).to_contain_text(other["the chosen answer"])
    expect(view.locator(".cost dt").first).to_have_text(other["Sampled tokens"])
    expect(view.locator("[role=treeitem]").first).to_have_attribute("aria-label", re.compile("^o problema: "))
    expect(view.locator(".now")).to_contain_text("8 passos amostrados")


def english_in(page: Page) -> list[str]:
    """Places of the view that say something in English; what is quoted, and the problem, are left out."""
    said = page.evaluate("""() => { const all = (places) => [...document.querySelector('#search-view').querySelectorAll(places)];
        return all('.now, .answer .why, .candidates .round, td.fate, .doing, .cost, .legend, .which, .facts')
            .map((one) => one.innerText).concat(all('[role=treeitem]').map((one) => one.getAttribute('aria-label'))); }""")
    return [words for words in said if ENGLISH.search(re.sub(r"[“„].*?”|Make 64 of .* 25", "", words))]


def site_of(page: Page) -> str:
    return page.url.rsplit("/", 1)[0] + "/"


@pytest.mark.browser
def test_another_language_is_english(speaking) -> None:
    page = speaking("de", "about")
    expect(page.locator("#about .models li").first).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#lead h1")).to_have_text("About")
