"""A search as a file for other programs: formats by name, each a function from its records to text.

networkx is imported when GraphML is written; nothing here draws in a browser or asks a model.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from tts_explorer.errors import BadSetting
from tts_explorer.events import Record, to_dict
from tts_explorer.viz.course import Course
from tts_explorer.viz.drawing import svg
from tts_explorer.viz.graph import COLUMNS, graph, rows
from tts_explorer.viz.replay import replay

UNLAWFUL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML can't hold."""
FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file."""

    mime: str
    write: Writer


class Writer(Protocol):
    """Writes a search as far as it is recorded; `dark` and `baseline`, the sentence under the answer, are for what shows them."""

    def __call__(self, records: Sequence[Record], *, dark: bool = False, baseline: str = "") -> str: ...


def page(records: Sequence[Record], *, dark: bool = False, baseline: str = "") -> str:
    """A page that replays the search offline."""
    return replay(records, baseline)


def picture(records: Sequence[Record], *, dark: bool = False, baseline: str = "") -> str:
    """The tree as SVG."""
    return svg(Course.of(records), dark)


def lines(records: Sequence[Record], *, dark: bool = False, baseline: str = "") -> str:
    """The events as JSON lines, which can be imported again."""
    return "".join(orjson.dumps(to_dict(record)).decode() + "\n" for record in records)


def graphml(records: Sequence[Record], *, dark: bool = False, baseline: str = "") -> str:
    """The tree with all facts of its nodes, and what ran as facts of the graph."""
    from networkx import write_graphml_xml

    course = Course.of(records)
    made, started = graph(course), course.tree.started
    for name in ("problem", "strategy", "policy", "verifier", "truth", "aggregate", "rule", "seed") if started else ():
        if (value := getattr(started, name)) is not None:
            made.graph[name] = value
    for known in (made.graph, *(known for _, known in made.nodes(data=True))):
        known |= {name: UNLAWFUL.sub("\ufffd", value) for name, value in known.items() if isinstance(value, str)}
    file = io.BytesIO()
    write_graphml_xml(made, file, named_key_ids=True)
    return file.getvalue().decode()


def table(records: Sequence[Record], *, dark: bool = False, baseline: str = "") -> str:
    """One row a node, as CSV. Text that a spreadsheet would take for a formula begins with an apostrophe."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows(Course.of(records)):
        writer.writerow([harmless(value) if isinstance(value, str) else value for value in row.values()])
    return file.getvalue()


def harmless(text: str) -> str:
    """Text that a spreadsheet shows and doesn't run.

    >>> harmless("=1+1"), harmless("-5"), harmless("2 + 2")
    ("'=1+1", '-5', '2 + 2')
    """
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


FORMATS = {
    "jsonl": Format("application/x-ndjson", lines),
    "html": Format("text/html", page),
    "svg": Format("image/svg+xml", picture),
    "graphml": Format("application/graphml+xml", graphml),
    "csv": Format("text/csv", table),
}
"""By the ending of a file's name."""


def format_named(name: str) -> Format:
    """Raises BadSetting."""
    if name not in FORMATS:
        raise BadSetting("no format {name!r}: choose one of {known}", name=name[:20], known=", ".join(FORMATS))
    return FORMATS[name]
