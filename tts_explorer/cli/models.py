"""`tts-explorer models`: the bundled models, read from their files without loading one."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from tts_explorer import models as named
from tts_explorer.assets import folder
from tts_explorer.cli.options import console
from tts_explorer.outcomes import NOTES
from tts_explorer.viz.terminal import plain

WORDS = {
    named.POLICY_AS_JUDGE: "The policy itself: it writes a check of a finished answer, and ends in yes or no.",
    named.PROGRAM: "The task's own checker, no model.",
    **{name: f"{note}." for name, note in NOTES.items()},
}
"""What verifiers are that no file describes."""


def add_to(app: typer.Typer) -> None:
    app.command("models")(models)


def models() -> None:
    """List the bundled models and verifiers: what each is, how large, and a line from its card."""
    policies, verifiers = named.bundled_policies(), named.verifiers()
    if not named.bundled():
        typer.echo("no bundled models: use --policy hf:ORG/NAME or a folder", err=True)
        return
    grid = Table(box=None, pad_edge=False, header_style="dim")
    for name, side in (
        ("name", "left"),
        ("kind", "left"),
        ("parameters", "right"),
        ("on disk", "right"),
        ("card", "left"),
    ):
        grid.add_column(name, no_wrap=name != "card", justify=side)
    for name in policies + verifiers:
        grid.add_row(*map(Text, (name, "policy" if name in policies else "verifier", *facts(name))))
    console().print(grid)


def facts(name: str) -> tuple[str, str, str]:
    """Parameters, size and card of a bundled model; of another verifier what it is."""
    if name in WORDS:
        return "–", "–", WORDS[name]
    place = folder() / "models" / name.partition(":")[2]
    return f"{named.parameters(place):,}", f"{size(place) / 1e6:.1f} MB", first_sentence(place / "README.md")


def size(place: Path) -> int:
    """Bytes of all the model's files."""
    return sum(file.stat().st_size for file in place.iterdir() if file.is_file())


def first_sentence(card: Path) -> str:
    """The first line of text in a model card, after its front matter and headings."""
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    if text.startswith("---"):
        text = text.partition("\n---")[2].partition("\n")[2]
    lines = (line.strip() for line in text.splitlines())
    return plain(next((line for line in lines if line and not line.startswith("#")), "no card"))
