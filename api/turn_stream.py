"""A turn as a stream of what it tells; leaving the stream ends the turn. What is told, it does not know."""

import math
from collections.abc import AsyncGenerator, Awaitable, Callable

from anyio import create_memory_object_stream, create_task_group

from agent.events import TurnEnded, TurnEvent
from agent.turn import Emit, Turn
from configs.errors import AssistantError

MakeTurn = Callable[[Emit], Awaitable[Turn]]


async def turn_events(make: MakeTurn) -> AsyncGenerator[TurnEvent, None]:
    """The events of a turn that is made and run here, its end the last; close it with `aclosing`.

    Raises what making the turn raises, and what it failed with.
    """
    send, receive = create_memory_object_stream[TurnEvent](math.inf)
    failure: AssistantError | None = None
    async with send, receive:
        turn = await make(send.send)
        async with create_task_group() as tasks:
            tasks.start_soon(turn.run)
            try:
                async for event in receive:
                    if isinstance(event, TurnEnded):
                        failure = event.error
                        break
                    yield event
            except GeneratorExit:
                # A group would wrap it, and whoever closes the stream would meet that.
                tasks.cancel_scope.cancel()
                return
        if failure is None:
            yield event
    if failure:
        raise failure
