"""What strategies announce beside scores, in a real browser: on the picture, in words, in the panels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tts_explorer.tree import SearchTree
from tts_explorer.viz.log import projected

pytestmark = pytest.mark.browser


def under(screen: Any, path: str) -> str:
    return screen.page.locator(f"[role=treeitem][data-path='{path}'] .under").text_content()


def name(screen: Any, path: str) -> str:
    return screen.page.locator(f"[role=treeitem][data-path='{path}']").get_attribute("aria-label")


def choose(screen: Any, path: str) -> None:
    screen.page.locator(f"[role=treeitem][data-path='{path}']").dispatch_event("click")
    screen.page.wait_for_function("document.querySelector('.steps .own .words').textContent.startsWith('FULL')")


def k_of(screen: Any, wanted: str) -> int:
    """How many lines of the log stand before the end of the first with that mark."""
    log = projected(screen.records).split("\n")
    return next(i for i, line in enumerate(log) if wanted in line) + 1


def test_visits_and_values_are_those_of_the_fold(show: Callable[..., Any]) -> None:
    screen = show("mcts")
    tree = SearchTree.of(record.event for record in screen.records)
    for node in tree.nodes.values():
        path = ".".join(map(str, node.id))
        if node.visits is not None:
            assert f"visited {node.visits} time" in name(screen, path) and f"value {node.value:.2f}" in name(screen, path)
        if (node.visits or 0) > 1:
            assert under(screen, path) == f"{node.visits} · {node.value:.2f}"
        else:
            assert screen.page.locator(f"[role=treeitem][data-path='{path}'] .under").count() == 0
    widths = screen.page.locator(".edges path").evaluate_all("all => all.map(e => parseFloat(getComputedStyle(e).strokeWidth))")
    assert max(widths) > 2 * min(widths)
    assert "visits · mean value" in screen.text(".legend")
    screen.scrub(k_of(screen, '"k":"^"'))
    assert screen.text(".doing").startswith("It counts the first scores: ") and "Most visited first step" in screen.text(".doing")
    screen.scrub(k_of(screen, '"k":"^"') - 1)
    assert screen.page.locator(".under").count() == 0


def test_shares_and_weights(show: Callable[..., Any]) -> None:
    screen = show("rebase")
    tree = SearchTree.of(record.event for record in screen.records)
    shares = {".".join(map(str, node.id)): node.weight for node in tree.nodes.values() if node.weight}
    assert shares and all(under(screen, path) == f"→ {share:g}" for path, share in shares.items())
    assert all(f"gets {share:g} of the next 6 samples" in name(screen, path) for path, share in shares.items())
    screen.scrub(k_of(screen, '"s":['))
    assert screen.text(".doing").startswith("It shares out the next 6 samples: most to “")
    screen = show("particles")
    assert under(screen, "0").startswith("w 0.") and ", weight 0." in name(screen, "0")
    screen.scrub(k_of(screen, '"w":['))
    assert screen.text(".doing").startswith("It weighs 6 particles: heaviest “")


def test_attempts_are_linked_and_feedback_is_told_by_shape_and_in_words(show: Callable[..., Any]) -> None:
    screen = show("refined")
    page = screen.page
    assert page.locator(".links .link").count() == 2
    says = [page.locator(f"[data-path='{path}'] .sign").get_attribute("data-says") for path in ("0.0.0", "1.0.0", "2.0.0")]
    assert says == ["refused", "unsure", "accepted"]
    assert len({page.locator(f"[data-path='{path}'] .sign").get_attribute("d") for path in ("0.0.0", "1.0.0", "2.0.0")}) == 3
    assert name(screen, "0.0.0").endswith("feedback by the verifier: not accepted, revised as node 1")
    assert name(screen, "1").endswith("revises node 0.0.0")
    choose(screen, "1.0.0")
    page.wait_for_function("document.querySelector('.spoken').textContent.includes('I am not sure')")
    assert screen.text(".spoken h4") == "Feedback by the model itself: can’t tell"
    assert screen.text(".spoken p").startswith("Step 1: 42 * 3 = 126, right.\nStep 2")
    screen.scrub(k_of(screen, '"A":0'))
    doing = "Feedback by the verifier on “\\boxed{99}”: “The first mistake is in step 2.”. So the attempt is not accepted."
    assert screen.text(".doing") == doing
    page.wait_for_function("document.querySelector('.now').textContent.includes('feedback on 1, none accepted')")
    assert page.locator(".links .link").count() == 0
    screen.scrub(k_of(screen, '"R":3'))
    assert screen.text(".doing").startswith("It revises the attempt that ended in node 0.0.0; the policy wrote “42 * 3")
    assert screen.text(".remarks").startswith("The verifier can't write")
    screen.scrub(1)
    assert not page.locator(".remarks").is_visible()


def test_verdicts_have_a_count_on_the_node_and_their_text_in_the_panel(show: Callable[..., Any]) -> None:
    screen = show("verified")
    assert under(screen, "1.0.0") == "6/8 yes" and "6 of 8 verdicts say yes" in name(screen, "1.0.0")
    choose(screen, "1.0.0")
    screen.page.wait_for_function("document.querySelector('.spoken').textContent.includes('Step 2')")
    heads = screen.page.locator(".spoken h4").all_inner_texts()
    assert heads[0] == "Verdict 1: yes, p(yes) = 0.91" and heads[7] == "Verdict 8: no, p(yes) = 0.13" and len(heads) == 8
    assert "6 of 8 yes, mean 0.71" in screen.text(".facts")
    screen.scrub(k_of(screen, '"V":[1,8'))
    assert screen.text(".doing").startswith("The verifier wrote 8 verdicts on “\\boxed{99}”: 1 say yes")
    screen.scrub(k_of(screen, '"V":[1,8') - 1)
    choose(screen, "1.0.0")
    assert not screen.page.locator(".spoken").is_visible()


def test_a_look_ahead_is_a_stub_and_no_node(show: Callable[..., Any]) -> None:
    screen = show("ahead")
    assert len(screen.items()) == 7 and screen.page.locator(".node .stub").count() == 4
    assert name(screen, "0").endswith("kept, looked 2 steps ahead")
    choose(screen, "0")
    screen.page.wait_for_function("document.querySelector('.spoken p').textContent.endsWith('boxed{89}')")
    screen.scrub(k_of(screen, '"k":"~"'))
    assert screen.text(".doing").startswith("It looked 2 steps ahead of “42 * 3 = 126”, for its score only")


def test_subtrees_are_bands_and_a_reason_to_stop_stays(show: Callable[..., Any]) -> None:
    screen = show("dvts")
    assert screen.page.locator(".bands .band").count() == 3 and ", subtree 2" in name(screen, "3")
    screen = show("adaptive")
    assert screen.text(".remarks").startswith("Stopped after")


@pytest.mark.parametrize("stream", ["evil feedback0", "evil verdicts1", "evil feedback3"])
def test_hostile_feedback_and_verdicts_are_text(show: Callable[..., Any], stream: str) -> None:
    screen = show(stream)
    choose(screen, "0.0.0")
    screen.page.wait_for_function("document.querySelectorAll('.spoken p').length > 0")
    for k in range(1, len(screen.records), 4):
        screen.scrub(k)
    assert screen.page.evaluate("window.pwned") is None
    assert screen.page.locator("#search-view :is(img, script, a, iframe)").count() == 0


@pytest.mark.parametrize(
    ("stream", "theme"), [("refined", "light"), ("refined", "dark"), ("mcts", "dark"), ("verified", "light")]
)
def test_marks_can_be_read_in_both_themes(show: Callable[..., Any], stream: str, theme: str) -> None:
    from ui.test_view_limits import FAINT

    screen = show(stream, theme=theme)
    assert screen.page.evaluate(FAINT.replace(".chip", ".chip, .under text, .spoken h4, .spoken p")) == []


def test_a_recording_fits_its_pane_and_starts_at_its_top(show: Callable[..., Any]) -> None:
    for stream in ("small", "refined", "adaptive"):
        box = show(stream).page.evaluate(
            """() => { const pane = document.querySelector('.pane'), edge = pane.getBoundingClientRect();
            const all = [...pane.querySelectorAll('.node')].map(node => node.getBoundingClientRect());
            return [Math.min(...all.map(b => b.left)) - edge.left, edge.right - Math.max(...all.map(b => b.right)),
            Math.min(...all.map(b => b.top)) - edge.top]; }"""
        )
        assert box[0] >= 0 and box[1] >= 0 and 0 <= box[2] < 40, (stream, box)
