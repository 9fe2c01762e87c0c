"""Files of the search that the page shows: the browser asks for one by its format and saves it. PNG is made in the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tts_explorer.errors import BadSetting
from tts_explorer.ui.component import OwnComponent
from tts_explorer.ui.service import Service
from tts_explorer.viz.exports import format_named


class Downloads(OwnComponent):
    """The menu. `value` is the session's id. Event: `search_ended`, when the search on the page was live and no longer is."""

    def __init__(self, value: str = "", *, answers: Any = (), elem_id: str = "downloads", **options: Any) -> None:
        super().__init__("downloads", "downloads", ["downloads"], value, answers=answers, elem_id=elem_id, **options)


def writer(service: Service) -> Callable[[Any], dict[str, Any]]:
    """What the browser calls with {session, format, dark}: {name, mime, text} of the file, as far as the search has come."""

    def file(asked: Any) -> dict[str, Any]:
        match asked:
            case {"session": str(session), "format": str(name), "dark": bool(dark)}:
                form, state = format_named(name), service.state(session, ())
                written = form.write(state.records, dark=dark, baseline=state.baseline)
                return {"name": f"search-{session[:12]}.{name}", "mime": form.mime, "text": written}
        raise BadSetting("the page asked for a file in a way that can't be read: reload it and try again")

    return file
