"""`tts-explorer sessions | replay | export | import`: what is stored, as a list, as pictures, as files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table
from rich.text import Text

from tts_explorer.cli.options import Db, Json, console, emit, open_store
from tts_explorer.cost import Cost
from tts_explorer.errors import BadSession, BadSetting, UnknownName, UserError
from tts_explorer.events import Record
from tts_explorer.store import Session
from tts_explorer.tree import SearchTree
from tts_explorer.viz.exports import FORMATS, format_named
from tts_explorer.viz.terminal import picture, plain, summary
from tts_explorer.wire import read_streams

Id = Annotated[list[str], typer.Argument(metavar="ID…", help="An id, a unique prefix of one, or `last`.")]


def add_to(app: typer.Typer) -> None:
    for command, name in ((sessions, "sessions"), (replay, "replay"), (export, "export"), (import_, "import")):
        app.command(name)(command)


def sessions(
    search: Annotated[str, typer.Option("--search", help="Only those whose problem or steps hold all these words.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many.")] = 50,
    db: Db = None,
    json: Json = False,
) -> None:
    """List the stored sessions, newest first."""
    found = open_store(db).sessions(search, limit)
    if json:
        emit(b"".join(orjson.dumps(listed(session)) + b"\n" for session in found))
    elif found:
        console().print(table(found))
    else:
        typer.echo("no session holds these words" if search else "no sessions yet: `tts-explorer solve` makes one", err=True)


def listed(session: Session) -> dict[str, Any]:
    """One session as JSON."""
    return {
        "id": session.id, "created": session.created, "origin": session.origin, "state": session.state,
        "events": session.events, "problem": session.problem, "task": session.task, "problem_id": session.problem_id,
        "strategy": session.strategy, "settings": session.settings, "policy": session.policy,
        "verifier": session.verifier, "seed": session.seed, "answer": session.answer, "correct": session.correct,
    }  # fmt: skip


def table(found: Sequence[Session]) -> Table:
    """A line a session. Only the problem is cut on a narrow terminal."""
    rows = [row(session) for session in found]
    grid = Table(box=None, pad_edge=False, header_style="dim")
    for i, (name, most) in enumerate((("id", 22), ("when (UTC)", 16), ("ended", 11), ("strategy", 22), ("answer", 16))):
        width = min(most, max(len(name), *(len(cells[i]) for cells in rows)))
        grid.add_column(name, no_wrap=True, overflow="ellipsis", min_width=width, max_width=width)
    grid.add_column("problem", no_wrap=True, overflow="ellipsis")
    for cells in rows:
        grid.add_row(*map(Text, cells))
    return grid


def row(session: Session) -> tuple[str, ...]:
    answer = "–"
    if session.answer is not None:
        answer = {True: "✓ ", False: "✗ ", None: ""}[session.correct] + plain(session.answer)
    when = session.created[:16].replace("T", " ")
    return session.id, when, session.state, plain(session.strategy), answer, plain(session.problem)


def replay(
    session: Annotated[str, typer.Argument(metavar="ID|FILE", help="A session's id, a unique prefix, `last`, or an export.")],
    db: Db = None,
    json: Json = False,
) -> None:
    """Fold a stored session, or each one in a file, and print its tree, answer and cost. No model is asked.

    With --json the stored lines, byte for byte.
    """
    file = Path(session)
    if file.is_file():
        data = content(file)
        streams = [(stream, "interrupted") for stream in read_streams(data, file.name)]
    else:
        store = open_store(db)
        id = resolved(store, session)
        data = store.export(id) if json else b""
        streams = [(store.records(id), store.session(id).state)]
    if json:
        emit(data)
        return
    for records, state in streams:
        show(records, state)


def resolved(store: Any, name: str) -> str:
    """The id that `name` means. Raises UnknownName, which mentions files if `name` looks like one's."""
    try:
        return store.resolve(name)
    except UnknownName as error:
        if "/" in name or "." in name:
            raise UnknownName(f"there is no file {name!r}") from error
        raise


def show(records: Sequence[Record], state: str) -> None:
    """Print one folded session; `state` counts where the stream doesn't say how it ended."""
    events = [record.event for record in records]
    tree, screen = SearchTree.of(events), console()
    screen.print(picture(tree))
    screen.print(summary(tree, Cost.of(events), tree.status or state))


def content(file: Path) -> bytes:
    """A file's bytes. Raises BadSession."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadSession(f"{file.name} can't be read: {error.strerror}") from error


def export(
    ids: Id,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file instead of standard output.")] = None,
    format: Annotated[str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}; else as the file's name ends.")] = None,
    db: Db = None,
) -> None:
    """Write sessions as JSON lines, one after another: to share, to import elsewhere, to report a bug.

    Or one session in another format: html replays offline, svg is its tree, graphml and csv hold all facts of its nodes.
    """
    store = open_store(db)
    found = [store.resolve(name) for name in ids]
    name = format or (output.suffix[1:] if output and output.suffix[1:] in FORMATS else "jsonl")
    written = format_named(name)
    if name == "jsonl":
        data = b"".join(map(store.export, found))
    elif len(found) > 1:
        raise BadSetting(f"{name} holds one session and {len(found)} were given: name one, or take jsonl")
    else:
        data = written.write(store.records(found[0])).encode()
    emit(data) if output is None else write(output, data)


def write(file: Path, data: bytes) -> None:
    """Write `file` so that it holds either what it held before or all of `data`."""
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
            temporary = new.name
            new.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, file)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise UserError(f"{file} can't be written: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Exports. A damaged one is refused whole.")],
    db: Db = None,
) -> None:
    """Store exported sessions under new ids, and print those."""
    store = open_store(db)
    for path in paths:
        for id in store.import_file(path):
            typer.echo(id)
