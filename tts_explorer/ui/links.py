"""Links between the pages, as the queries that stand in them; each is relative to the page that shows it.

`/?session=ID` opens a session; `at` (an event's seq, −1 before the first), `node` (its path: `0.2`) and `view` (`tree`, `table`
or `chart`) say where. `/?task=&level=&index=&…` fills Explore's controls: `task`, `level` and `index` name a problem of the test
split, else `problem` is its text; `policy`, `verifier` (empty for none), `strategy`, `seed`, `temperature`, `tokens` (the
budget), and each setting by its own name. `embed=1` shows the search alone, `present=1` in large type. `ui.prefill` reads them.
`/compare?a=ID&b=ID&c=ID&d=ID` sets sessions side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from tts_explorer.store import Session

LANES = ("a", "b", "c", "d")
"""The names of compared sessions, in a link and on the page."""


def settings_query(session: Session) -> str:
    """What fills Explore's controls with the settings of `session`."""
    place = session.place
    if session.task and place and place[0] == "test":
        asked: dict[str, Any] = {"task": session.task, "level": place[1], "index": place[2]}
    else:
        asked = {"problem": session.problem}
    asked |= {"policy": session.policy, "verifier": session.verifier or "", "strategy": session.strategy, "seed": session.seed}
    if session.temperature is not None:
        asked["temperature"] = f"{session.temperature:g}"
    return urlencode(asked | {name: value for name, value in session.settings.items() if name not in asked})


def compare_query(ids: Sequence[str]) -> str:
    return urlencode(dict(zip(LANES, ids, strict=False)))


def compared(query: Mapping[str, str]) -> dict[str, str]:
    """The sessions that a link to the comparison names, by lane."""
    return {lane: query[lane] for lane in LANES if query.get(lane)}
