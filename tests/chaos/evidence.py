"""Reads the files of a stopped system and counts again, knowing nothing of the code that wrote them."""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVICES = ("staff", "queue", "surveys", "aggregator")
FINAL = ("served", "no_show", "left")


@contextmanager
def opened(folder: Path, name: str) -> Iterator[sqlite3.Connection]:
    """A read-only connection to one file."""
    raw = sqlite3.connect(f"file:{folder / name}.sqlite3?mode=ro", uri=True)
    raw.row_factory = sqlite3.Row
    try:
        yield raw
    finally:
        raw.close()


def rows(folder: Path, name: str, statement: str) -> list[sqlite3.Row]:
    """The rows of a statement."""
    with opened(folder, name) as raw:
        return raw.execute(statement).fetchall()


def files_are_sound(folder: Path) -> Iterator[str]:
    """What SQLite itself finds wrong."""
    for name in (*SERVICES, "bus"):
        with opened(folder, name) as raw:
            for (said,) in raw.execute("PRAGMA integrity_check"):
                if said != "ok":
                    yield f"{name}: {said}"
            for broken in raw.execute("PRAGMA foreign_key_check"):
                yield f"{name}: foreign key of {broken['table']}"


def numbers_have_no_gaps(folder: Path) -> Iterator[str]:
    """Ticket numbers per branch, business date and prefix are 1..n, each once, and the counter stands at n."""
    given = defaultdict(list)
    for row in rows(folder, "queue", "SELECT unit, business_date, number FROM visit WHERE origin = 'live'"):
        prefix, count = re.fullmatch(r"(\D*)(\d+)", row["number"]).groups()  # type: ignore[union-attr]
        given[row["unit"], row["business_date"], prefix].append(int(count))
    for key, numbers in given.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"numbers of {key}: {sorted(numbers)}"
    counters = rows(folder, "queue", "SELECT unit, business_date, prefix, last FROM ticket_counter")
    if {tuple(row)[:3]: row["last"] for row in counters} != {key: len(numbers) for key, numbers in given.items()}:
        yield "the counters are not at the last numbers"


def windows_and_visits_agree(folder: Path) -> Iterator[str]:
    """A window holds exactly the visit that is called to it or served at it."""
    held = {(r["unit"], r["no"]): r["visit"] for r in rows(folder, "queue", 'SELECT * FROM "window"') if r["visit"]}
    at = rows(folder, "queue", "SELECT unit, \"window\", id FROM visit WHERE status IN ('called', 'serving')")
    busy = {(r["unit"], r["window"]): r["id"] for r in at}
    if len(busy) != len(at) or held != busy:
        yield f"windows hold {held}, visits are at {busy}"


def each_served_visit_has_one_invitation(folder: Path) -> Iterator[str]:
    """Exactly one for each live served visit, none for any other, and the reaction was done once an event."""
    served = [
        r["id"] for r in rows(folder, "queue", "SELECT id FROM visit WHERE status = 'served' AND origin = 'live'")
    ]
    invited = [r["visit"] for r in rows(folder, "surveys", "SELECT visit FROM invitation")]
    if sorted(served) != sorted(invited):
        yield f"served without: {set(served) - set(invited)}; invited without: {set(invited) - set(served)}"
    ((done,),) = rows(folder, "surveys", "SELECT count(*) FROM inbox")
    if done != len(served):
        yield f"{done} reactions to {len(served)} completed visits"


def answers_are_kept_once(folder: Path) -> Iterator[str]:
    """Answered invitations are those with a response, and no response is without answers."""
    answered = {r["id"] for r in rows(folder, "surveys", "SELECT id FROM invitation WHERE state = 'answered'")}
    kept = [r["invitation"] for r in rows(folder, "surveys", "SELECT invitation FROM response")]
    if sorted(answered) != sorted(kept):
        yield f"answered {len(answered)}, kept {len(kept)}"
    bare = rows(folder, "surveys", "SELECT invitation FROM response EXCEPT SELECT invitation FROM response_answer")
    yield from (f"response {row['invitation']} has no answers" for row in bare)


def the_log_tells_all(folder: Path) -> Iterator[str]:
    """Of each subject the log holds every sequence, first tellings in order, a sequence always as the same event."""
    told: dict[str, dict[int, str]] = defaultdict(dict)
    for row in rows(folder, "bus", 'SELECT headers FROM log ORDER BY topic, "partition", "offset"'):
        headers = json.loads(row["headers"])
        source = headers["ce_source"].rsplit("/", 1)[1]
        subject, sequence = f"{source} {headers['ce_subject']}", int(headers["ce_sequence"])
        before = told[subject]
        if sequence not in before and sequence != len(before) + 1:
            yield f"{subject}: {sequence} was told after {sorted(before)}"
        if before.setdefault(sequence, headers["ce_id"]) != headers["ce_id"]:
            yield f"{subject}: two events are number {sequence}"
    last = {
        f"{name} {row['subject']}": row["sequence"]
        for name in SERVICES
        for row in rows(folder, name, "SELECT subject, sequence FROM subject_sequence")
    }
    if last != {subject: len(sequences) for subject, sequences in told.items()}:
        yield f"told and kept differ: {set(last.items()) ^ {(s, len(q)) for s, q in told.items()}}"


def nothing_waits(folder: Path) -> Iterator[str]:
    """Outboxes are told, every offset stands at the log's end, no letter is open."""
    ends = {tuple(r)[:2]: r["next"] for r in rows(folder, "bus", 'SELECT topic, "partition", next FROM part')}
    for name in SERVICES:
        for statement, what in (
            ("SELECT count(*) FROM outbox WHERE published_at IS NULL", "events in the outbox"),
            ("SELECT count(*) FROM dead_letter WHERE state IN ('parked', 'waiting', 'dead')", "letters"),
        ):
            ((count,),) = rows(folder, name, statement)
            if count:
                yield f"{name}: {count} {what}"
        for row in rows(folder, name, 'SELECT topic, "partition", next FROM consumer_offset'):
            if row["next"] != ends[row["topic"], row["partition"]]:
                yield f"{name}: at {row['next']} of {tuple(row)[:2]}, not {ends[row['topic'], row['partition']]}"


def figures(folder: Path) -> dict[str, tuple[int, int]]:
    """By metric its numerator and denominator (0: none) over everything, from the tables of the owners."""

    def one(name: str, statement: str) -> int:
        ((found,),) = rows(folder, name, statement)
        return int(found or 0)

    def visits(what: str, condition: str) -> int:
        return one("queue", f"SELECT {what} FROM visit WHERE {condition}")

    called = "status IN ('called', 'serving', 'served', 'no_show') AND wait_seconds IS NOT NULL"
    invited = one("surveys", "SELECT count(*) FROM invitation WHERE invited_at IS NOT NULL")
    scored = "scale_min = 1 AND scale_max = 5"
    return {
        "visits.opened": (visits("count(*)", "1"), 0),
        "visits.served": (visits("count(*)", "status = 'served'"), 0),
        "visits.abandoned": (visits("count(*)", "status = 'left'"), 0),
        "visits.no_show": (visits("count(*)", "status = 'no_show'"), 0),
        "wait.seconds": (visits("sum(wait_seconds)", called), visits("count(*)", called)),
        "handling.seconds": (
            visits("sum(handling_seconds)", "handling_seconds IS NOT NULL"),
            visits("count(*)", "handling_seconds IS NOT NULL"),
        ),
        "survey.invitation_rate": (invited, visits("count(*)", "status = 'served' AND origin = 'live'")),
        "survey.response_rate": (one("surveys", "SELECT count(*) FROM response"), invited),
        "survey.csat": (
            one("surveys", f"SELECT count(*) FROM response_answer WHERE {scored} AND score >= 4"),
            one("surveys", f"SELECT count(*) FROM response_answer WHERE {scored}"),
        ),
    }


def facts_are_the_newest(folder: Path) -> Iterator[str]:
    """The aggregator's facts stand at the last event of each subject."""
    for table, key, owner in (("fact_visit", "visit", "queue"), ("fact_response", "invitation", "surveys")):
        kept = {tuple(row) for row in rows(folder, "aggregator", f"SELECT {key}, sequence FROM {table}")}
        source = "visit" if owner == "queue" else "invitation"
        last = {
            tuple(row)
            for row in rows(
                folder,
                owner,
                f"SELECT s.subject, s.sequence FROM subject_sequence s JOIN {source} v ON v.id = s.subject",
            )
        }
        if kept != last:
            yield f"{table}: {len(kept ^ last)} differ"


ALL = (
    files_are_sound,
    numbers_have_no_gaps,
    windows_and_visits_agree,
    each_served_visit_has_one_invitation,
    answers_are_kept_once,
    the_log_tells_all,
    nothing_waits,
    facts_are_the_newest,
)


def faults(folder: Path) -> list[str]:
    """Everything that is wrong in the files."""
    return [f"{check.__name__}: {said}" for check in ALL for said in check(folder)]


def visit_states(folder: Path, ids: Iterable[str]) -> dict[str, Any]:
    """By id the status, number and version of those visits that exist."""
    wanted = set(ids)
    found = rows(folder, "queue", "SELECT id, status, number, version FROM visit")
    return {row["id"]: row for row in found if row["id"] in wanted}
