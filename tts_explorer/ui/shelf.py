"""What the Sessions page asks: finding, naming, pinning, deleting, handing out and taking in.

Each method but the first takes one value that came from a browser, checks it, and returns what the page shows. It knows the
store and no component.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, with_config

from tts_explorer.errors import BadSession, BadSetting
from tts_explorer.store import Session, Store, Wanted
from tts_explorer.ui.links import settings_query

PAGE = 25
"""Sessions on a page."""
LARGE = "{name} has {size} MB: at most {most} MB can be imported"
LARGEST = 16 << 20
"""Bytes of a file that can be imported."""
MOST = 1000
"""Sessions that one wish can be about."""
LONGEST_SEARCH = 200

Ids = TypeAdapter(Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=MOST)])
Filters = TypeAdapter(with_config(extra="forbid", allow_inf_nan=False)(Wanted))


class Shelf:
    """The stored sessions, as the page handles them."""

    def __init__(self, store: Store):
        self.store = store

    @property
    def answers(self) -> list[Callable[[Any], dict[str, Any]]]:
        """What the browser may call."""
        return [self.find, self.label, self.pin, self.remove, self.restore, self.lines, self.take]

    def find(self, asked: Any) -> dict[str, Any]:
        """A page of sessions: {page, of what `Wanted` names}. A page past the last is the last."""
        asked = dict(checked(TypeAdapter(dict[str, Any]), asked))
        number = checked(TypeAdapter(Annotated[int, Field(ge=1, le=10**6)]), asked.pop("page", 1))
        asked["words"] = str(asked.get("words", ""))[:LONGEST_SEARCH]
        wanted = checked(Filters, asked | {"children": False})
        found, total = self.store.find(wanted, PAGE, (number - 1) * PAGE)
        pages = max(1, -(-total // PAGE))
        if number > pages:
            number = pages
            found, total = self.store.find(wanted, PAGE, (pages - 1) * PAGE)
        rows = [row(session) for session in found]
        return {"rows": rows, "total": total, "page": number, "pages": pages, "choices": self.store.choices()}

    def label(self, asked: Any) -> dict[str, Any]:
        """Keep {id, title, tags, notes}."""
        given = checked(TypeAdapter(dict[str, str | list[str]]), asked)
        tags = given.get("tags", [])
        self.store.label(
            str(given.get("id")), title=str(given.get("title", "")), tags=tags if isinstance(tags, list) else [tags],
            notes=str(given.get("notes", "")),
        )  # fmt: skip
        return {}

    def pin(self, asked: Any) -> dict[str, Any]:
        """Keep {id, pinned}."""
        given = checked(TypeAdapter(dict[str, str | bool]), asked)
        self.store.pin(str(given.get("id")), given.get("pinned") is True)
        return {}

    def remove(self, asked: Any) -> dict[str, Any]:
        """Delete the sessions with these ids, so that `restore` can bring them back."""
        self.store.delete(checked(Ids, asked))
        return {}

    def restore(self, asked: Any) -> dict[str, Any]:
        self.store.restore(checked(Ids, asked))
        return {}

    def lines(self, asked: Any) -> dict[str, Any]:
        """The export of the sessions with these ids, and a name for the file."""
        ids = checked(Ids, asked)
        data = b"".join(map(self.store.export, ids))
        return {"lines": data.decode(), "name": f"session-{ids[0][:8]}.jsonl" if len(ids) == 1 else f"sessions-{len(ids)}.jsonl"}

    def take(self, asked: Any) -> dict[str, Any]:
        """Import {name, lines}; the new ids. A damaged file is refused whole."""
        given = checked(TypeAdapter(dict[str, str]), asked)
        data, name = given.get("lines", "").encode(errors="replace"), given.get("name", "")[:80] or "the file"
        if len(data) > LARGEST:
            raise BadSession(LARGE, name=name, size=round(len(data) / 2**20, 1), most=LARGEST >> 20)
        return {"ids": self.store.import_bytes(data, name)}


def checked(adapter: TypeAdapter[Any], value: Any) -> Any:
    """`value`, if it is what it should be. Raises BadSetting."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        name, given = ".".join(map(str, first["loc"])), repr(first["input"])
        given = given if len(given) <= 40 else given[:39] + "…"
        values = {"given": given, "why": first["msg"][:1].lower() + first["msg"][1:]}
        if not name:
            raise BadSetting("the page's wish can't be {given} ({why}): clear the filters", **values) from error
        raise BadSetting("{name} can't be {given} ({why}): clear the filters", name=name, **values) from error


def row(session: Session) -> dict[str, Any]:
    """One session as a line of the list."""
    names = (
        "id", "created", "origin", "problem", "strategy", "policy", "verifier", "state", "answer", "correct", "nodes", "tokens",
        "flops", "title", "tags", "notes", "pinned", "deleted",
    )  # fmt: skip
    place = session.place
    known = {name: getattr(session, name) for name in names}
    known["settings"] = ", ".join(f"{name}={value}" for name, value in session.settings.items())[:120]
    known["place"] = " ".join([session.task or "", f"{place[1]} no. {place[2]}" if place else "typed"]).strip()
    return known | {
        "problem": session.problem[:400],
        "answer": session.answer and session.answer[:200],
        "again": settings_query(session),
    }
