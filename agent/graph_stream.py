"""LangChain's work in a task of asyncio's own, so that cancelling whoever waits for it ends it as well."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from anyio import CancelScope, create_memory_object_stream

T = TypeVar("T")


async def in_own_task(stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The items of a stream that expects asyncio's kind of cancellation; close it with `aclosing`.

    LangGraph awaits while it cleans up. Inside a cancelled anyio scope each of those awaits is cancelled again, so its
    node tasks would run on and Ollama would go on generating. In a task of its own the stream is cancelled just once,
    and this generator ends when that task has.
    """
    send, receive = create_memory_object_stream[T](0)

    async def pump() -> None:
        async with send, aclosing(stream):
            async for item in stream:
                await send.send(item)

    task = asyncio.get_running_loop().create_task(pump())
    try:
        async with receive:
            async for item in receive:
                yield item
        await task
    finally:
        task.cancel()
        with CancelScope(shield=True):
            await asyncio.wait([task])


async def awaited_in_own_task(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns, as above: cancelled once, it closes its connection, and the server stops working."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        await asyncio.wait([task])
    finally:
        task.cancel()
        with CancelScope(shield=True):
            await asyncio.wait([task])
    return task.result()
