"""How much at once, on virtual time."""

import pytest
from anyio import Event, create_task_group, current_time, fail_after, sleep
from anyio.abc import TaskStatus

from api.guard.rates import Bucket, Gate, span
from api.guard.refusal import error_response
from configs.errors import RateLimitExceeded

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(trio_virtual: tuple[str, dict[str, object]]) -> tuple[str, dict[str, object]]:
    return trio_virtual


async def test_a_bucket_gives_a_minutes_worth_at_once_and_then_one_by_one() -> None:
    bucket = Bucket(60)
    assert [bucket.take().remaining for _ in range(60)] == [*range(59, -1, -1)]
    with pytest.raises(RateLimitExceeded) as told:
        bucket.take()
    assert told.value.retry_after == pytest.approx(1.0)
    await sleep(0.75)
    with pytest.raises(RateLimitExceeded) as told:
        bucket.take()
    assert told.value.retry_after == pytest.approx(0.25)
    await sleep(0.26)
    assert bucket.take().remaining == 0
    await sleep(30)
    assert bucket.take().remaining == 29


async def test_a_bucket_never_holds_more_than_a_minutes_worth() -> None:
    bucket = Bucket(6)
    await sleep(3600)
    left = bucket.take()
    assert left.remaining == 5
    assert left.reset == pytest.approx(10)
    assert left.headers() == {
        "x-ratelimit-limit-requests": "6",
        "x-ratelimit-remaining-requests": "5",
        "x-ratelimit-reset-requests": "10s",
    }


async def test_who_is_refused_does_not_wait_longer_for_having_asked() -> None:
    bucket = Bucket(1)
    bucket.take()
    for _ in range(59):
        await sleep(1)
        with pytest.raises(RateLimitExceeded):
            bucket.take()
    await sleep(1.01)
    bucket.take()


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "0ms"), (0.12, "120ms"), (1, "1s"), (1.5, "1.5s"), (59.9, "59.9s"), (60, "1m0s"), (360, "6m0s"), (61, "1m1s")],
)
def test_a_time_is_written_as_openai_writes_it(seconds: float, written: str) -> None:
    assert span(seconds) == written


async def test_a_gate_lets_its_limit_in_queues_in_order_and_refuses_the_rest() -> None:
    gate, done = Gate(2, 2, called="turns"), list[tuple[int, float]]()

    async def work(number: int, *, task_status: TaskStatus[None]) -> None:
        task_status.started()
        async with gate.entered():
            await sleep(10)
            done.append((number, current_time() - began))

    began = current_time()
    async with create_task_group() as tasks:
        for number in range(4):
            await tasks.start(work, number)
            await sleep(0.001)
        with pytest.raises(RateLimitExceeded, match="turns"):
            async with gate.entered():
                pass
    assert [number for number, _ in done] == [0, 1, 2, 3]
    assert [round(at) for _, at in done] == [10, 10, 20, 20]


async def test_who_leaves_the_queue_gives_up_the_place() -> None:
    gate, hold = Gate(1, 1), Event()

    async def work() -> None:
        async with gate.entered():
            await hold.wait()

    async with create_task_group() as tasks:
        tasks.start_soon(work)
        await sleep(1)
        with pytest.raises(TimeoutError), fail_after(1):
            async with gate.entered():
                pytest.fail("there was no place")
        with pytest.raises(TimeoutError), fail_after(1):
            async with gate.entered():
                pytest.fail("there was no place")
        hold.set()
    with pytest.raises(ZeroDivisionError):
        async with gate.entered():
            raise ZeroDivisionError
    async with gate.entered():
        pass


def test_when_to_try_again_is_told_in_both_headers_that_sdks_read() -> None:
    told = error_response(RateLimitExceeded("too many", "Wait.", 1.2))
    assert told.status_code == 429
    assert told.headers["retry-after"] == "2"
    assert told.headers["retry-after-ms"] == "1200"
