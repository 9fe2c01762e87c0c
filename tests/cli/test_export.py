"""`export --format`: one session as a file for other programs."""

import csv
import io
from xml.etree import ElementTree

import networkx
import pytest

FIGS = "Bo has 5 figs. Bo finds 3 figs. How many figs are left?"


@pytest.fixture
def id(run):
    return run("solve", "--problem", FIGS, "--verifier", "v", "--set", "n=4", "--set", "beam_width=2").stderr.strip()


def test_each_format_says_the_same_of_the_same_nodes(run, id, tmp_path):
    shown = {name: run("export", id, "--format", name).stdout for name in ("jsonl", "html", "svg", "graphml", "csv")}
    assert shown["jsonl"] == run("export", id).stdout
    added = shown["jsonl"].count('"NodeAdded"')
    assert len(list(csv.DictReader(io.StringIO(shown["csv"])))) == added
    assert len(networkx.parse_graphml(shown["graphml"]).nodes) == added + 1
    assert ElementTree.fromstring(shown["svg"]).tag == "{http://www.w3.org/2000/svg}svg"
    assert shown["html"].startswith("<!doctype html>") and FIGS in shown["html"]


@pytest.mark.parametrize("ending", ["jsonl", "html", "svg", "graphml", "csv"])
def test_the_end_of_a_files_name_tells_its_format(run, id, tmp_path, ending):
    file = tmp_path / f"tree.{ending}"
    assert run("export", id, "-o", file).exit_code == 0
    assert file.read_bytes() == run("export", id, "--format", ending).stdout_bytes
    other = tmp_path / "tree.txt"
    assert run("export", id, "-o", other).exit_code == 0
    assert other.read_bytes() == run("export", id).stdout_bytes


def test_what_cannot_be_written_is_said_in_one_line(run, id, tmp_path):
    file = tmp_path / "two.svg"
    two = run("export", id, "last", "-o", file)
    assert two.exit_code == 1 and "svg holds one session and 2 were given" in two.stderr and not file.exists()
    unknown = run("export", id, "--format", "docx")
    assert unknown.exit_code == 1 and "no format 'docx': choose one of jsonl, html, svg, graphml, csv" in unknown.stderr
