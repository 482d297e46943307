"""The keeper: what is done for the memory between turns, so that no turn waits for it; answers nobody."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from anyio import CancelScope, create_task_group, move_on_after

from agent.attendance import Attendance
from agent.checkpoints import PruningSaver
from agent.conversation import Conversation
from agent.distillation import distil
from agent.scrubbing import scrub
from agent.summaries import Summaries
from configs.errors import AssistantError
from memory.memories import Memories
from models.registry import Served

log = logging.getLogger(__name__)

LAST_SECONDS: Final = 20
"""How long closing may wait for what was said last to be embedded; the rest is done at the next start."""


class Keeper:
    """Keeps the memory in step with what was said, and draws facts from it when nobody asks anything."""

    def __init__(
        self,
        attendance: Attendance,
        memories: Memories,
        checkpoints: PruningSaver,
        summaries: Summaries,
        conversations: Callable[[], Sequence[Conversation]],
        *,
        answers: Path,
        idle: float,
    ) -> None:
        """`answers` holds recordings of replies; `idle`: seconds of quiet before facts are drawn."""
        self._attendance = attendance
        self._memories = memories
        self._checkpoints = checkpoints
        self._summaries = summaries
        self._conversations = conversations
        self._answers = answers
        self._idle = idle
        self.failure: AssistantError | None = None
        """Why the memory lags behind what was said, while it does."""

    async def run(self) -> None:
        """Runs until it is cancelled."""
        async with create_task_group() as tasks:
            tasks.start_soon(self._follow)
            tasks.start_soon(self._reflect)

    async def finish(self) -> None:
        """Does what is left after the last turn, and does not take long."""
        with CancelScope(shield=True), move_on_after(LAST_SECONDS):
            await self._catch_up()

    async def _follow(self) -> None:
        seen = -1
        while True:
            await self._catch_up()
            seen = await self._attendance.wait_ended(max(seen, 0)) if seen >= 0 else self._attendance.ended

    async def _catch_up(self) -> None:
        try:
            await self._memories.catch_up()
            await scrub(self._memories, self._checkpoints, self._attendance, self._answers)
            self.failure = None
        except AssistantError as error:
            log.warning("the memory lags behind: %s (%s)", error.message, error.hint)
            self.failure = error

    async def _reflect(self) -> None:
        while True:
            seen = self._attendance.ended
            await self._attendance.quiet(self._idle)
            async with self._attendance.quietly():
                try:
                    await self.reflect()
                except AssistantError as error:
                    log.warning("nothing was drawn from what was said: %s (%s)", error.message, error.hint)
            await self._attendance.wait_ended(seen)

    async def reflect(self) -> None:
        """Summaries first, since the next turn may need them; then facts. Raises AssistantError."""
        for conversation in self._conversations():
            chat = conversation.chat
            if not isinstance(chat, Served):
                continue
            for thread, shown in conversation.shown.items():
                while shown and await self._summaries.grow(thread, shown[0], chat):
                    pass
            if conversation.memory is not None:
                for space in await self._memories.spaces():
                    if space.persona == conversation.memory:
                        while await distil(self._memories, space, chat):
                            pass
