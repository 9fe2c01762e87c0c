"""Files for other programs: what is in the record comes out of them again, and no text in it becomes anything but text."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import networkx
import pytest
from viz.streams import ahead, ended, recorded, refinement, started, verified
from viz.test_log import hostile
from worlds import drive, search

from tts_explorer.assets import folder
from tts_explorer.errors import BadSetting
from tts_explorer.events import NodeAdded, NodePruned, NodeScored, Record, clean
from tts_explorer.viz.course import Course
from tts_explorer.viz.drawing import svg
from tts_explorer.viz.exports import FORMATS, format_named
from tts_explorer.viz.graph import key
from tts_explorer.viz.log import projected
from tts_explorer.wire import read_streams

ENDS = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "\u2028\u2029",
    "=HYPERLINK(1)",
    "\x01\x1f\ufffe",
    'a\r\nb,"c"\'',
]


def awkward(seed: int) -> list[Record]:
    """Whole answers of every awkward kind of text."""
    rng = random.Random(seed)

    def say(_: str = "") -> str:
        return clean(rng.choice(ENDS) + hostile(rng, 60))

    events = [started("best_of_n", say, verifier="v")]
    for i in range(6):
        events.append((None, NodeAdded((i,), say(), 3, -1.0, "eos", True, say())))
        events.append((None, NodeScored((i,), None if i == 3 else rng.random())))
    events.append((None, NodePruned((2,), say())))
    answer = events[1][1].answer
    return recorded(*events, *ended(answer, (0,), "best", **{answer: 1.0}))


STREAMS = {"refinement": refinement, "verified": verified, "ahead": ahead} | {
    f"awkward {seed}": lambda seed=seed: awkward(seed) for seed in range(12)
}


@pytest.mark.parametrize("name", STREAMS)
def test_json_lines_are_read_again(name: str) -> None:
    records = STREAMS[name]()
    assert read_streams(FORMATS["jsonl"].write(records).encode()) == [records]


@pytest.mark.parametrize("name", STREAMS)
def test_graphml_is_read_again_with_all_facts(name: str) -> None:
    course = Course.of(STREAMS[name]())
    made = networkx.parse_graphml(FORMATS["graphml"].write(STREAMS[name]()))
    assert set(made) == set(map(key, course.tree.nodes)) and made.graph["strategy"] == course.tree.started.strategy
    for id, node in course.tree.nodes.items():
        facts = made.nodes[key(id)]
        assert (facts.get("reward"), facts.get("value"), facts["fate"]) == (node.reward, node.value, course.fate(id))
        assert not id or isinstance(facts["text"], str)


@pytest.mark.parametrize("name", STREAMS)
def test_csv_is_read_again_and_runs_nothing(name: str) -> None:
    course = Course.of(STREAMS[name]())
    table = list(csv.DictReader(io.StringIO(FORMATS["csv"].write(STREAMS[name]()), newline="")))
    assert [row["node"] for row in table] == [key(id) for id in sorted(course.tree.nodes) if id]
    for row in table:
        node = course.tree.nodes[tuple(map(int, row["node"].split(".")[1:]))]
        assert row["text"].removeprefix("'") == node.text.removeprefix("'")
        assert not any(value[:1] in ("=", "@", "\t", "\r") for value in row.values())


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", STREAMS)
def test_the_picture_is_xml_with_a_mark_for_each_node_and_no_reference(name: str, dark: bool) -> None:
    course = Course.of(STREAMS[name]())
    root = ElementTree.fromstring(svg(course, dark))
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "path", "rect", "text", "title", "desc"}
    assert not [name for element in root.iter() for name in element.attrib if "href" in name or name.startswith("on")]
    moved = [element for element in root.iter() if element.get("transform")]
    assert len(moved) >= len(course.tree.nodes)
    width, height = float(root.get("width")), float(root.get("height"))
    for element in moved:
        x, y = map(float, re.findall(r"-?[\d.]+", element.get("transform")))
        assert 0 < x < width and 0 < y < height


class Scripts(HTMLParser):
    """The scripts of a page, and how many elements it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found, self.inside, self.elements = [], False, 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "script"
        self.elements += 1
        if self.inside:
            self.found.append("")
        assert not {"src", "href"} & {name for name, _ in attrs}

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.found[-1] += data


@pytest.mark.parametrize("name", STREAMS)
def test_the_replay_has_two_scripts_whatever_the_text(name: str) -> None:
    records = STREAMS[name]()
    page = FORMATS["html"].write(records, baseline="Greedily </script>")
    data, script = Scripts(page).found
    told = json.loads(data)
    assert told["props"]["value"] == projected(records) and told["props"]["baseline"] == "Greedily </script>"
    course = Course.of(records)
    assert {path: node["step"]["text"] for path, node in told["nodes"].items()} == {
        ".".join(map(str, id)): node.text for id, node in course.tree.nodes.items()
    }
    assert Scripts(page).elements == Scripts(FORMATS["html"].write(refinement())).elements
    assert "default-src 'none'" in page and not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page.replace(data, ""))
    assert "<!--" not in script and "</script" not in script


def test_every_recording_and_strategy_can_be_written_at_any_time() -> None:
    streams = [read_streams(path.read_bytes())[0] for path in sorted((folder() / "sessions").glob("*.jsonl"))]
    streams += [drive(search(name, seed=1))[0] for name in ("mcts", "rebase", "particle_filter", "dvts")]
    for records in streams:
        for cut in (1, len(records) // 2, len(records)):
            for form in FORMATS.values():
                assert form.write(records[:cut])


def test_an_unknown_format_is_one_sentence() -> None:
    with pytest.raises(BadSetting, match="no format 'exe': choose one of jsonl, html, svg, graphml, csv"):
        format_named("exe")


def test_writing_and_charts_are_imported_without_plotly_and_networkx() -> None:
    modules = "tts_explorer.viz.charts, tts_explorer.viz.climb, tts_explorer.viz.figure, tts_explorer.viz.exports"
    code = f"import sys, {modules}; print(sorted({{'plotly', 'networkx', 'gradio', 'torch'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
