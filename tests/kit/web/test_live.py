"""Live updates from the transaction to the bytes of a stream, on both databases."""

import asyncio
import json

import pytest

from shared.web import feed
from shared.web.live import FURTHEST, KEPT, Live, Stream


@pytest.fixture(params=["sqlite", "postgres"])
def dialect(request):
    return request.param


@pytest.fixture
async def db(make_db):
    return await make_db()


@pytest.fixture
def live(db, noon):
    return Live(db, noon)


def tell(db, topic="hall", kind="ticket", **data):
    return db.write(lambda uow: feed.tell(uow, topic, kind, **data), actor="test", brief=True)


class Screen:
    """Reads a stream as a browser would."""

    def __init__(self, live, topic="hall", after=None, still=True):
        async def stands():
            return self.still

        self.still = still
        self.events = asyncio.Queue()
        self.ended = asyncio.Event()
        self.left = asyncio.Event()
        self.stream = Stream(live, topic, after, stands)
        self.task = asyncio.create_task(self.stream({"type": "http"}, self._receive, self._send))

    async def _receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.headers = dict(message["headers"])
            return
        for block in message["body"].decode().split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in block.split("\n"))
            self.events.put_nowait((lines["event"], json.loads(lines["data"]), int(lines.get("id", 0))))
        if not message["more_body"]:
            self.ended.set()

    async def next(self):
        return await asyncio.wait_for(self.events.get(), 10)

    async def leave(self):
        self.left.set()
        await asyncio.wait_for(self.task, 10)


@pytest.fixture
async def screen(live):
    opened = []

    def open_one(**options):
        opened.append(Screen(live, **options))
        return opened[-1]

    yield open_one
    for one in opened:
        await one.leave()


async def test_a_new_screen_starts_with_a_snapshot_and_then_hears_each_change(db, live, screen):
    await tell(db)
    watching = screen()
    kind, data, seq = await watching.next()
    assert (kind, data["seq"], seq) == ("snapshot", 1, 1)
    await tell(db, kind="call", number="A001")
    await tell(db, topic="another")
    await live.turn()
    assert (await watching.next())[:2] == ("call", {"number": "A001", "at": "2026-03-02T04:00:00+00:00"})
    assert (await watching.next())[1]["seq"] == 2  # the first tick
    assert watching.events.empty()
    assert watching.headers[b"content-type"].startswith(b"text/event-stream")


async def test_a_screen_resumes_after_what_it_knows(db, live, screen):
    for number in range(5):
        await tell(db, n=number)
    watching = screen(after=3)
    assert [(await watching.next())[2] for _ in range(2)] == [4, 5]
    assert (await watching.next())[:2] == ("tick", {"now": "2026-03-02T04:00:00+00:00", "seq": 5})
    up_to_date = screen(after=5)
    assert (await up_to_date.next())[0] == "tick"


@pytest.mark.parametrize("after", [0, 2000])
async def test_a_cursor_that_leads_nowhere_gets_a_snapshot(db, live, screen, noon, after):
    """Too old (the rows are gone), or from another database."""
    await tell(db)

    async def forget(uow):
        await uow.execute(feed.live_feed.delete())

    await db.write(forget, actor="test")
    await tell(db)
    watching = screen(after=after)
    assert (await watching.next())[::2] == ("snapshot", 2)


async def test_more_than_a_screen_can_catch_up_with_is_a_snapshot(db, live, screen):
    async def many(uow):
        for _ in range(FURTHEST + KEPT):
            await feed.tell(uow, "hall", "ticket")

    watching = screen()
    await watching.next()
    await db.write(many, actor="test")
    await live.turn()
    assert (await watching.next())[::2] == ("snapshot", FURTHEST + KEPT)


async def test_numbers_have_no_gaps_whoever_writes(db, live, screen):
    watching = screen(after=0)
    await watching.next()
    await asyncio.gather(*(tell(db, n=n) for n in range(40)), *(tell(db, topic=f"t{n}") for n in range(10)))
    await live.turn()
    heard = [event for event in [await watching.next() for _ in range(41)] if event[0] != "tick"]
    assert [event[2] for event in heard] == list(range(1, 41))
    assert sorted(event[1]["n"] for event in heard) == list(range(40))


async def test_what_is_rolled_back_was_never_told(db, live, screen):
    async def fails(uow):
        await feed.tell(uow, "hall", "ticket")
        raise ValueError

    with pytest.raises(ValueError):
        await db.write(fails, actor="test")
    assert await db.read(lambda reads: feed.head(reads, "hall")) == 0


async def test_streams_end_with_the_process_and_topics_with_their_last_stream(live, screen):
    one, other = screen(), screen()
    await one.next()
    await other.next()
    assert live.streams == 2
    await one.leave()
    assert live.streams == 1
    live.close()
    await asyncio.wait_for(other.ended.wait(), 10)
    assert live.streams == 0


async def test_a_stream_ends_with_its_session(live, screen, monkeypatch):
    monkeypatch.setattr("shared.web.live.TICK", 0.0)
    watching = screen()
    await watching.next()
    watching.still = False
    for _ in range(100):
        await live.turn()
        await asyncio.sleep(0)
        if watching.ended.is_set():
            break
    assert watching.ended.is_set()
