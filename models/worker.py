"""One engine, one thread: blocking inference as async calls that can be cancelled; knows no engine."""

from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from anyio import CancelScope, Event, Lock, from_thread, get_cancelled_exc_class
from anyio.lowlevel import current_token

T = TypeVar("T")


def _nothing() -> None:
    """For steps too short to be worth interrupting."""


class EngineThread:
    """Runs the calls of one engine, one after the other, on one thread of its own.

    A caller keeps the engine until its call or iteration has ended; others wait their turn. A cancelled call interrupts
    the engine and returns only when the step has really stopped, so that the next caller finds it free.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._owner = Lock()

    @property
    def busy(self) -> bool:
        """Whether a caller has the engine."""
        return self._owner.locked()

    async def call(self, step: Callable[[], T], interrupt: Callable[[], None] = _nothing) -> T:
        """Awaits one blocking step."""
        async with self._owner:
            return await self._step(step, interrupt)

    async def iterate(
        self, start: Callable[[], Iterator[T]], interrupt: Callable[[], None] = _nothing
    ) -> AsyncGenerator[T, None]:
        """Iterates a blocking generator, which is also closed on the engine's thread."""
        async with self._owner:
            items: Iterator[T] | None = None  # started with the first step, for each step is a change of threads
            ended = False

            def step() -> tuple[T] | None:
                nonlocal items
                if items is None:
                    items = start()
                for item in items:
                    return (item,)
                return None

            def close() -> None:
                if items is not None and hasattr(items, "close"):
                    items.close()

            try:
                while (found := await self._step(step, interrupt)) is not None:
                    yield found[0]
                ended = True
            finally:
                if not ended:
                    with CancelScope(shield=True):
                        await self._step(close, _nothing)

    async def aclose(self) -> None:
        """Waits for the running call and ends the thread."""
        with CancelScope(shield=True):
            async with self._owner:
                self._pool.shutdown(wait=False)

    async def _step(self, step: Callable[[], T], interrupt: Callable[[], None]) -> T:
        done, token = Event(), current_token()

        def work() -> T:
            try:
                return step()
            finally:
                from_thread.run_sync(done.set, token=token)

        future = self._pool.submit(work)
        try:
            await done.wait()
        except get_cancelled_exc_class():
            interrupt()
            with CancelScope(shield=True):
                await done.wait()
            raise
        # The event is set by the worker a moment before the future is: this wait is that moment.
        return future.result()
