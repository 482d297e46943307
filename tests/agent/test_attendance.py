"""One turn at a time, in order; and work that waits for quiet. On virtual time."""

from functools import partial

import anyio
import anyio.lowlevel
import pytest

from agent.attendance import Attendance
from tests.conftest import Backend

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(trio_virtual: Backend) -> Backend:
    return trio_virtual


async def turn(attendance: Attendance, name: str, order: list[str], *, conversation: str = "c") -> None:
    async with attendance.turn(conversation):
        order.append(f"{name} begins")
        await anyio.sleep(1)
        order.append(f"{name} ends")


async def test_turns_of_one_conversation_come_one_after_the_other_in_order() -> None:
    attendance, order = Attendance(), list[str]()
    async with anyio.create_task_group() as tasks:
        for name in ("first", "second", "third"):
            tasks.start_soon(turn, attendance, name, order)
            await anyio.sleep(0.01)
    assert order == [f"{name} {what}" for name in ("first", "second", "third") for what in ("begins", "ends")]
    assert attendance.ended == 3


async def test_turns_of_two_conversations_run_side_by_side() -> None:
    attendance, order = Attendance(), list[str]()
    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        for name in ("a", "b"):
            tasks.start_soon(partial(turn, attendance, name, order, conversation=name))
    assert anyio.current_time() - began == pytest.approx(1)


async def test_a_turn_that_is_cancelled_while_it_waits_leaves_the_next_one_its_place() -> None:
    attendance, order = Attendance(), list[str]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turn, attendance, "first", order)
        await anyio.sleep(0.1)
        with anyio.move_on_after(0.2):
            await turn(attendance, "impatient", order)
        await turn(attendance, "last", order)
    assert order == ["first begins", "first ends", "last begins", "last ends"]


async def test_quiet_is_so_many_seconds_after_the_last_turn() -> None:
    attendance, order = Attendance(), list[str]()
    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turn, attendance, "first", order)
        await anyio.sleep(0.5)
        await attendance.quiet(20)
    assert anyio.current_time() - began == pytest.approx(21)


async def test_the_next_turn_ends_quiet_work() -> None:
    attendance, order = Attendance(), list[str]()
    async with anyio.create_task_group() as tasks:

        async def work() -> None:
            async with attendance.quietly() as scope:
                await anyio.sleep(100)
            order.append("cancelled" if scope.cancelled_caught else "done")

        tasks.start_soon(work)
        await anyio.sleep(1)
        tasks.start_soon(turn, attendance, "turn", order)
    assert order == ["turn begins", "cancelled", "turn ends"]


async def test_work_that_comes_while_somebody_is_answered_does_not_begin() -> None:
    attendance, began = Attendance(), False
    async with attendance.turn("c"), attendance.quietly() as scope:
        await anyio.lowlevel.checkpoint()
        began = True
    assert not began
    assert scope.cancelled_caught


async def test_whoever_waits_hears_of_every_end() -> None:
    attendance, order, heard = Attendance(), list[str](), list[int]()
    async with anyio.create_task_group() as tasks:

        async def listen() -> None:
            seen = 0
            while seen < 2:
                seen = await attendance.wait_ended(seen)
                heard.append(seen)

        tasks.start_soon(listen)
        await turn(attendance, "one", order)
        await turn(attendance, "two", order)
    assert heard == [1, 2]
