"""The tables of the session database, as numbered migrations; each runs once, in one transaction with its record.

`searches` and `events` are what happened, and only ever grow. `outlines` and `words` are made from the events as they come in:
what lists show and filter by, and what full-text search looks through; they could be made again. `labels` is what people said
of a session: title, tags, notes, pinned, deleted. `judged` and `judged_sessions` are what verifiers said of finished answers,
made from the events when a search ends. `results` is a line a search of a sweep, which `lab.results` writes and reads.
"""

from __future__ import annotations

import re

import orjson
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("tts_explorer")


@migrations()
def m001_searches_and_events(db: Database) -> None:
    db.execute(
        "CREATE TABLE searches (id TEXT PRIMARY KEY, created TEXT NOT NULL, origin TEXT NOT NULL, owner TEXT NOT NULL,"
        " heartbeat TEXT NOT NULL) STRICT"
    )
    db.execute(
        "CREATE TABLE events (search TEXT NOT NULL REFERENCES searches(id), seq INTEGER NOT NULL, kind TEXT NOT NULL,"
        " body TEXT NOT NULL, PRIMARY KEY (search, seq)) STRICT, WITHOUT ROWID"
    )
    db.execute("CREATE INDEX searches_created ON searches(created)")
    db.execute(
        "CREATE INDEX events_of_note ON events(search, kind) WHERE kind IN ('AnswerSelected', 'AnswerGraded', 'SearchFinished')"
    )
    db.execute("CREATE INDEX events_by_parent ON events(json_extract(body, '$.parent')) WHERE seq = 0")
    db.execute("CREATE VIRTUAL TABLE texts USING fts5(search UNINDEXED, text)")


@migrations()
def m002_no_heartbeat(db: Database) -> None:
    """It was written and never read."""
    db.execute("ALTER TABLE searches DROP COLUMN heartbeat")


@migrations()
def m003_results(db: Database) -> None:
    """All that decides a search of a sweep is its key, so that none is there twice; those of one cell lie together."""
    key = (
        "task, level, split, policy, verifier, strategy, settings, temperature, max_step_tokens, aggregate, rule, budget,"
        ' weights, "index", seed'
    )
    db.execute(
        "CREATE TABLE results (task TEXT, level INTEGER, split TEXT, policy TEXT, verifier TEXT, strategy TEXT, settings TEXT,"
        ' temperature REAL, max_step_tokens INTEGER, aggregate TEXT, rule TEXT, budget TEXT, weights TEXT, "index" INTEGER,'
        " seed INTEGER, status TEXT NOT NULL, correct INTEGER NOT NULL, tokens INTEGER NOT NULL, policy_flops REAL NOT NULL,"
        f" verifier_flops REAL NOT NULL, seconds REAL NOT NULL, created TEXT NOT NULL, PRIMARY KEY ({key})) STRICT, WITHOUT ROWID"
    )


@migrations()
def m004_outlines_words_and_labels(db: Database) -> None:
    """Lists and searches read no events any more; `words` has a row a session where `texts` had one a step."""
    db.execute(
        "CREATE TABLE outlines (number INTEGER PRIMARY KEY, search TEXT NOT NULL UNIQUE REFERENCES searches(id), created TEXT NOT"
        " NULL, problem TEXT NOT NULL, task TEXT, problem_id TEXT, level INTEGER, strategy TEXT NOT NULL, settings TEXT NOT NULL,"
        " policy TEXT NOT NULL, verifier TEXT, seed TEXT NOT NULL, temperature REAL, parent TEXT, status TEXT, answer TEXT,"
        " correct INTEGER, events INTEGER NOT NULL, nodes INTEGER NOT NULL, tokens INTEGER NOT NULL, flops REAL NOT NULL,"
        " seconds REAL NOT NULL) STRICT"
    )
    db.execute("CREATE INDEX outlines_created ON outlines(created)")
    db.execute("CREATE INDEX outlines_parent ON outlines(parent) WHERE parent IS NOT NULL")
    db.execute("CREATE INDEX outlines_open ON outlines(search) WHERE status IS NULL")
    db.execute(
        "CREATE TABLE labels (number INTEGER PRIMARY KEY, title TEXT NOT NULL DEFAULT '', tags TEXT NOT NULL DEFAULT '[]',"
        " notes TEXT NOT NULL DEFAULT '', pinned INTEGER NOT NULL DEFAULT 0, deleted TEXT) STRICT"
    )
    db.execute("CREATE VIRTUAL TABLE words USING fts5(text, label)")
    _outline_what_is_there(db)
    db.execute("DROP TABLE texts")
    db.execute("DROP INDEX events_by_parent")


def _outline_what_is_there(db: Database) -> None:
    """Fill the tables of m004. It leans on no other code: that will change, and this must not."""
    ended = "(SELECT json_extract(body, '$.{}') FROM events e WHERE e.search = s.id AND kind = '{}' ORDER BY seq DESC LIMIT 1)"
    query = (
        "SELECT s.id, s.created, body, (SELECT max(seq) + 1 FROM events e WHERE e.search = s.id),"
        " (SELECT count(*) FROM events e WHERE e.search = s.id AND kind = 'NodeAdded'),"
        f" {ended.format('status', 'SearchFinished')}, {ended.format('answer', 'AnswerSelected')}"
        " FROM searches s JOIN events ON search = s.id AND seq = 0 ORDER BY s.created, s.rowid"
    )
    for id, created, body, events, nodes, status, answer in db.execute(query).fetchall():
        start = orjson.loads(body)
        spent = db.execute(
            "SELECT total(json_extract(body, '$.sampled_tokens')), total(json_extract(body, '$.flops')),"
            " total(json_extract(body, '$.seconds')) FROM events WHERE search = ? AND kind = 'CostIncurred'",
            [id],
        ).fetchone()
        grades = dict(
            db.execute(
                "SELECT json_extract(body, '$.answer'), json_extract(body, '$.correct') FROM events WHERE search = ?"
                " AND kind = 'AnswerGraded' ORDER BY seq",
                [id],
            ).fetchall()
        )
        place = re.fullmatch(r"\w+/(\d{1,3})/\d{1,9}", start.get("problem_id") or "")
        warmth = (start.get("sampling") or {}).get("temperature")
        db.execute(
            f"INSERT INTO outlines VALUES (NULL{', ?' * 21})",
            [
                id, created, start["problem"], start.get("task"), start.get("problem_id"), int(place[1]) if place else None,
                start["strategy"], orjson.dumps(start.get("settings") or {}).decode(), start.get("policy") or "",
                start.get("verifier"), str(start.get("seed", 0)), float(warmth) if isinstance(warmth, int | float) else None,
                start.get("parent"), status, answer, grades.get(answer), events, nodes, int(min(spent[0], 2**62)), *spent[1:],
            ],
        )  # fmt: skip
    db.execute(
        "INSERT INTO words (rowid, text, label) SELECT number << 24, group_concat(text, char(10)), '' FROM texts"
        " JOIN outlines USING (search) GROUP BY number"
    )


@migrations()
def m005_judged(db: Database) -> None:
    """Scores beside grades. Sessions that are there already are read when somebody looks (`judged.catch_up`)."""
    db.execute(
        "CREATE TABLE judged (number INTEGER NOT NULL, node TEXT NOT NULL, score REAL NOT NULL, is_right INTEGER NOT NULL,"
        " answer TEXT NOT NULL, PRIMARY KEY (number, node)) STRICT, WITHOUT ROWID"
    )
    db.execute("CREATE TABLE judged_sessions (number INTEGER PRIMARY KEY, truth TEXT NOT NULL) STRICT")
