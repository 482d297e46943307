"""EngineThread: cancelling really stops the engine, callers take turns, and nothing hangs; on both event loops."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from functools import partial

import anyio
import anyio.to_thread
import pytest

from models.worker import EngineThread

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Blocking:
    """An engine that gives a letter after each step, and works until it is released or interrupted."""

    def __init__(self, letters: str = "abc", *, held: bool = False) -> None:
        self.letters = letters
        self.working = threading.Event()
        self.released = threading.Event()
        self.stopped = threading.Event()
        self.closed_on = ""
        if not held:
            self.released.set()

    def run(self) -> Iterator[str]:
        try:
            for letter in self.letters:
                self.working.set()
                assert self.released.wait(20)
                yield letter
        finally:
            self.closed_on = threading.current_thread().name

    def interrupt(self) -> None:
        self.stopped.set()
        self.released.set()


async def consume(thread: EngineThread, engine: Blocking, heard: list[str]) -> None:
    async with aclosing(thread.iterate(engine.run, engine.interrupt)) as items:
        async for item in items:
            heard.append(item)  # noqa: PERF401  # what came before a cancellation is kept


async def until(event: threading.Event) -> None:
    assert await anyio.to_thread.run_sync(event.wait, 10)


async def test_a_call_runs_on_the_engine_s_own_thread() -> None:
    thread = EngineThread("ears")
    names = [await thread.call(lambda: threading.current_thread().name) for _ in range(2)]
    assert len(set(names)) == 1
    assert names[0].startswith("ears")
    await thread.aclose()


async def test_items_come_in_order_and_the_generator_is_closed_on_the_thread() -> None:
    thread, engine, heard = EngineThread("ears"), Blocking("abc"), list[str]()
    await consume(thread, engine, heard)
    assert heard == ["a", "b", "c"]
    assert engine.closed_on.startswith("ears")
    await thread.aclose()


async def test_a_generator_that_has_ended_costs_no_further_step(monkeypatch: pytest.MonkeyPatch) -> None:
    thread, engine, heard, steps = EngineThread("ears"), Blocking("ab"), list[str](), list[object]()
    submit = thread._pool.submit

    def counted(step: Callable[[], object]) -> object:
        steps.append(step)
        return submit(step)

    monkeypatch.setattr(thread._pool, "submit", counted)
    await consume(thread, engine, heard)
    assert (heard, len(steps)) == (["a", "b"], 3)  # two items, and the end
    await thread.aclose()


async def test_leaving_early_closes_the_generator_on_the_thread() -> None:
    thread, engine = EngineThread("ears"), Blocking("abc")
    async with aclosing(thread.iterate(engine.run)) as items:
        assert await anext(items) == "a"
        assert engine.closed_on == ""
    assert engine.closed_on.startswith("ears")
    await thread.aclose()


async def test_cancelling_an_iteration_interrupts_the_step_and_frees_the_engine() -> None:
    thread, engine, heard = EngineThread("ears"), Blocking(held=True), list[str]()
    async with anyio.create_task_group() as group:
        group.start_soon(consume, thread, engine, heard)
        await until(engine.working)
        group.cancel_scope.cancel()
    assert engine.stopped.is_set()
    assert engine.closed_on  # the step had really ended before the cancelled caller went on
    assert heard == []
    with anyio.fail_after(10):
        await consume(thread, Blocking("xy"), heard)
    assert heard == ["x", "y"]
    await thread.aclose()


async def test_cancelling_a_call_waits_until_the_step_has_stopped() -> None:
    thread, release, ended = EngineThread("ears"), threading.Event(), threading.Event()

    def step() -> None:
        assert release.wait(20)
        ended.set()

    with anyio.move_on_after(0.02) as scope:
        await thread.call(step, release.set)
    assert scope.cancelled_caught
    assert ended.is_set()
    await thread.aclose()


async def test_a_step_that_cannot_be_interrupted_is_waited_for() -> None:
    thread, before = EngineThread("ears"), time.monotonic()
    with anyio.move_on_after(0.01):
        await thread.call(partial(time.sleep, 0.1))
    assert time.monotonic() - before >= 0.1
    await thread.aclose()


async def test_concurrent_callers_take_turns() -> None:
    thread, heard = EngineThread("ears"), list[str]()
    async with anyio.create_task_group() as group:
        for letters in ("ab", "ab", "ab"):
            group.start_soon(consume, thread, Blocking(letters), heard)
    assert heard == ["a", "b"] * 3
    await thread.aclose()


async def test_a_cancelled_waiter_leaves_the_owner_alone() -> None:
    thread, engine, heard = EngineThread("ears"), Blocking("ab", held=True), list[str]()
    async with anyio.create_task_group() as group:
        group.start_soon(consume, thread, engine, heard)
        await until(engine.working)
        with anyio.move_on_after(0.01) as waiter:
            await thread.call(lambda: heard.append("never"))
        engine.released.set()
    assert waiter.cancelled_caught
    assert not engine.stopped.is_set()
    assert heard == ["a", "b"]
    await thread.aclose()


async def test_a_cancellation_that_is_already_pending_does_not_hang() -> None:
    thread, heard = EngineThread("ears"), list[str]()
    with anyio.fail_after(10):
        with anyio.CancelScope() as scope:
            scope.cancel()
            await consume(thread, Blocking(), heard)
        assert heard == []
        with anyio.CancelScope() as scope:
            async with aclosing(thread.iterate(Blocking("abc").run)) as items:
                async for item in items:
                    heard.append(item)
                    scope.cancel()
        assert heard == ["a"]
        await consume(thread, Blocking("z"), heard)
    assert heard == ["a", "z"]
    await thread.aclose()


async def test_what_the_engine_raises_reaches_the_caller_and_frees_the_engine() -> None:
    thread = EngineThread("ears")

    def broken() -> Iterator[str]:
        yield "a"
        raise ZeroDivisionError("broken")

    async with aclosing(thread.iterate(broken)) as items:
        assert await anext(items) == "a"
        with pytest.raises(ZeroDivisionError, match="broken"):
            await anext(items)
    with pytest.raises(ZeroDivisionError):
        await thread.call(lambda: 1 // 0)
    assert await thread.call(lambda: "fine") == "fine"
    await thread.aclose()


async def test_closing_waits_for_the_running_call_and_ends_the_thread() -> None:
    thread, working, release = EngineThread("ears"), threading.Event(), threading.Event()
    own = await thread.call(threading.current_thread)

    def step() -> None:
        working.set()
        assert release.wait(20)

    async with anyio.create_task_group() as group:
        group.start_soon(thread.call, step)
        await until(working)
        group.start_soon(thread.aclose)
        await anyio.wait_all_tasks_blocked()
        assert own.is_alive()
        release.set()
    await anyio.to_thread.run_sync(own.join, 10)
    assert not own.is_alive()


async def test_no_call_may_follow_the_close() -> None:
    thread = EngineThread("ears")
    await thread.aclose()
    with pytest.raises(RuntimeError, match="shutdown"):
        await thread.call(lambda: None)
