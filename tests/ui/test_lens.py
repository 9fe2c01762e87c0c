"""A PRM under the lens: what the store keeps of judged answers, and the page over it in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect
from ui.conftest import EVIL
from ui.stored import Site, opener, served

from tts_explorer.events import AnswerGraded, Event, NodeAdded, NodeScored, Record, SearchFinished, SearchStarted
from tts_explorer.store import Judged, Store
from tts_explorer.store.judged import Bin
from tts_explorer.ui.lens import Lens, recordings
from tts_explorer.viz.calibration import calibration, error

expect.set_options(timeout=20_000)
browser_test = pytest.mark.browser


def judged(answers: list[tuple[str, float]], say: Callable[[str], str] = str, **about: object) -> list[Record]:
    """A search with these answers and scores; 7 is right."""
    start = SearchStarted(say("Make 7."), "best_of_n", policy="p", verifier="bundled:prm", truth=say("7"), task="countdown")
    events: list[Event] = [replace(start, **about)]
    for i, (answer, score) in enumerate(answers):
        events += [NodeAdded((i,), "a step\n\n", 3, -1.0, "step", False, None)]
        events += [NodeAdded((i, 0), say(answer), 3, -1.0, "eos", True, answer)]
        events += [NodeScored((i,), 0.5), NodeScored((i, 0), score)]
    events += [AnswerGraded(answer, answer == "7") for answer in dict.fromkeys(answer for answer, _ in answers)]
    return [Record(i, i / 10, None, event) for i, event in enumerate([*events, SearchFinished("done")])]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "sessions.db")
    yield made
    made.close()


def test_what_was_misjudged_is_kept_when_a_search_ends(store: Store) -> None:
    records = judged([("8", 0.9), ("8", 0.7), ("9", 0.2), ("7", 0.1), ("7", 0.95)])
    store.append([("one", records[:-1])])
    assert store.judged(Judged(), 5).wrong == []
    store.append([("one", records[-1:])])
    found = store.judged(Judged(), 5)
    assert [(one.session, one.node, one.score, one.answer, one.times) for one in found.wrong] == [
        ("one", "0.0", 0.9, "8", 2), ("one", "2.0", 0.2, "9", 1),
    ]  # fmt: skip
    assert [(one.node, one.score, one.times, one.truth) for one in found.right] == [("3.0", 0.1, 2, "7")]
    assert [(b.low, b.answers, b.right) for b in found.bins] == [(0.1, 1, 1), (0.2, 1, 0), (0.7, 1, 0), (0.9, 2, 1)]
    assert found.choices == {"task": ["countdown"], "verifier": ["bundled:prm"]} and found.unread == 0


def test_task_and_verifier_choose_and_deleted_sessions_are_left_out(store: Store) -> None:
    for id, about in {"a": {}, "b": {"task": "maze"}, "c": {"verifier": "judge:policy"}}.items():
        store.append([(id, judged([("8", 0.9)], **about))])
    assert {one.session for one in store.judged(Judged(), 5).wrong} == {"a", "b", "c"}
    assert [one.session for one in store.judged(Judged(task="maze"), 5).wrong] == ["b"]
    assert [one.session for one in store.judged(Judged(verifier="judge:policy"), 5).wrong] == ["c"]
    assert store.judged(Judged("maze", "judge:policy"), 5).wrong == []
    store.delete(["b"])
    assert {one.session for one in store.judged(Judged(), 5).wrong} == {"a", "c"}
    assert store.judged(Judged(), 5).choices["task"] == ["countdown"]


def test_sessions_older_than_the_table_are_read_when_somebody_looks(store: Store) -> None:
    store.append([("old", judged([("8", 0.9)]))])
    with store.writing() as connection:
        connection.execute("DELETE FROM judged")
        connection.execute("DELETE FROM judged_sessions")
    found = store.judged(Judged(), 5)
    assert [one.session for one in found.wrong] == ["old"] and found.unread == 0


def test_what_is_removed_for_good_leaves_nothing(store: Store) -> None:
    store.append([("gone", judged([("8", 0.9)]))])
    store.delete(["gone"])
    with store.writing() as connection:
        connection.execute("UPDATE labels SET deleted = '2000-01-01'")
    store.close()
    again = Store(store.path)
    with again.reading() as connection:
        assert connection.execute("SELECT count(*) FROM judged").fetchone()[0] == 0
        assert connection.execute("SELECT count(*) FROM judged_sessions").fetchone()[0] == 0
    again.close()


def test_ungraded_and_unscored_answers_are_not_judged(store: Store) -> None:
    records = [r for r in judged([("8", 0.9)]) if not isinstance(r.event, AnswerGraded)]
    store.append([("ungraded", [replace(r, seq=i) for i, r in enumerate(records)])])
    failed = [r.event for r in judged([("8", 0.9)])]
    failed = [replace(event, reward=None) if isinstance(event, NodeScored) else event for event in failed]
    store.append([("failed", [Record(i, i / 10, None, event) for i, event in enumerate(failed)])])
    assert store.judged(Judged(), 5).bins == []


def test_two_thousand_sessions_are_looked_at_in_a_moment(store: Store) -> None:
    """Four hundred here, so that the test is short; the bound is a fifth of 300 ms on an idle machine, and generous."""
    store.append([(f"s{i}", judged([("8", 0.9 - i / 1000), ("7", i / 1000)] * 8)) for i in range(400)])
    store.judged(Judged(), 12)
    begun = time.process_time()
    assert len(store.judged(Judged(), 12).wrong) == 12
    assert time.process_time() - begun < 0.6


def test_without_sessions_the_recordings_are_looked_at(store: Store) -> None:
    told = Lens(store).look({})
    assert told["recorded"] and told["wrong"] and told["right"]
    assert all(row["session"].startswith("example-") for row in told["wrong"])
    assert Lens(store).look({"task": "none such"})["wrong"] == []
    store.append([("mine", judged([("8", 0.9)]))])
    assert not Lens(store).look({})["recorded"]


def test_calibration_says_how_far_scores_and_shares_are_apart() -> None:
    bins = [Bin(0.0, 0.1, 50, 0, 0.05), Bin(0.9, 1.0, 50, 40, 0.95)]
    assert error(bins) == pytest.approx((0.05 + 0.15) / 2)
    chart = calibration(bins)
    assert "Of 100 answers 40% are right" in chart.sentence and chart.figure is not None
    assert calibration([]).figure is None
    assert calibration(recordings(Judged()).bins, dark=True).figure is not None


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with served(tmp_path) as made:
        yield made


@pytest.fixture
def open_lens(site: Site, new_page: Callable[..., Page]) -> Callable[..., Page]:
    return opener(new_page, site, "lens", "#lens")


@browser_test
def test_a_misjudged_answer_is_a_click_from_its_tree(open_lens, site: Site) -> None:
    site.store.append([("mine", judged([("8", 0.9), ("7", 0.2)]))])
    site.store.append([("other", judged([("9", 0.8)], task="maze"))])
    page = open_lens()
    rows = page.locator("#lens .wrong li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("0.900")
    expect(rows.first).to_contain_text("the known answer: 7")
    expect(page.locator("#lens .right li")).to_have_count(1)
    expect(page.locator("#calibration .js-plotly-plot")).to_be_visible()
    expect(page.locator("#calibration-said")).to_contain_text("Of 3 answers 33% are right")
    page.locator("#lens select[name=task]").select_option("maze")
    expect(rows).to_have_count(1)
    expect(page.locator("#calibration-said")).to_contain_text("Of 1 answers 0% are right")
    assert "task=maze" in page.url
    page.reload(wait_until="domcontentloaded")
    expect(rows).to_have_count(1)
    link = urlsplit(rows.first.locator("a").get_attribute("href"))
    assert parse_qs(link.query) == {"session": ["other"], "node": ["0.0"]}
    rows.first.locator("a").click()
    page.wait_for_selector("#search-view[data-state=done]")
    assert "session=other" in page.url


@browser_test
@pytest.mark.parametrize("width", [1280, 390])
def test_without_sessions_the_page_shows_recordings_and_says_so(open_lens, width: int) -> None:
    page = open_lens(width=width)
    expect(page.locator("#lens .note")).to_contain_text("recordings that come with the program")
    expect(page.locator("#lens .wrong li").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@browser_test
def test_where_no_wrong_answer_scored_high_the_nearest_are_shown(open_lens, site: Site) -> None:
    site.store.append([("low", judged([("8", 0.2)]))])
    page = open_lens()
    expect(page.locator("#lens .wrong .nearest")).to_be_visible()
    expect(page.locator("#lens .wrong li")).to_have_count(1)


@browser_test
def test_what_models_wrote_stays_text(open_lens, site: Site) -> None:
    for i, text in enumerate(EVIL):
        site.store.append([(f"evil{i}", judged([(text, 0.9)], lambda _, text=text: text, task=text, verifier=text))])
    asked: list[str] = []
    page = open_lens()
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator("#lens .wrong li")).to_have_count(len(EVIL))
    page.locator("#lens select[name=task]").select_option(EVIL[0])
    expect(page.locator("#lens .wrong li")).to_have_count(1)
    expect(page.locator("#calibration-said")).to_contain_text("Of 1 answers")
    assert page.evaluate("window.pwned") is None
    assert not [url for url in asked if "pwned" in urlsplit(url).path]


@browser_test
def test_a_question_that_makes_no_sense_ends_in_a_sentence(open_lens, site: Site) -> None:
    page = open_lens("task=nothing")
    expect(page.locator("#lens .wrong .nothing")).to_contain_text("Choose another task")
    expect(page.locator("#lens .wrong li")).to_have_count(0)
