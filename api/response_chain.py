"""What a response follows: earlier turns from the ledger as messages, and calls that wait for their results."""

from dataclasses import dataclass
from typing import Final

from agent.turn import FORGOTTEN
from api.chat_request import Message
from configs.errors import PreviousResponseNotFound
from memory.turns import StoredTurn, Turns

WAITING: Final = 256
"""Responses that called tools of the client's and are known still."""
LONGEST: Final = 200
"""Turns of a conversation that are read."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What came before a request."""

    conversation: str
    messages: list[Message]


class ResponseChains:
    """Finds them, over one ledger; calls that wait are kept here alone, and not after a restart."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._waiting: dict[str, list[Message]] = {}

    def wait(self, turn: str, since: list[Message]) -> None:
        """Keeps what followed the question of a turn that has ended with calls; the oldest go first."""
        self._waiting[turn] = since
        while len(self._waiting) > WAITING:
            self._waiting.pop(next(iter(self._waiting)))

    async def before(self, response: str, user: str) -> Chain:
        """What came up to a response of a user's. Raises PreviousResponseNotFound, also for another user's."""
        turn = await self._turns.one(response.removeprefix("resp_")) if response.startswith("resp_") else None
        kept = await self._turns.of(turn.conversation, LONGEST) if turn and turn.user == user else ()
        places = [at for at, one in enumerate(kept) if turn and one.id == turn.id]
        if turn is None or not places:
            raise PreviousResponseNotFound(
                f"no response {response!r} is kept", "Send the whole conversation.", "previous_response_id"
            )
        messages = [message for one in kept[: places[0]] for message in _exchange(one)]
        question, *reply = _exchange(turn) or [Message(role="user", content=FORGOTTEN)]
        return Chain(turn.conversation, [*messages, question, *self._waiting.get(turn.id, reply)])


def _exchange(turn: StoredTurn) -> list[Message]:
    """A turn as messages; none where its words are forgotten."""
    if turn.question == FORGOTTEN:
        return []
    reply = [Message(role="assistant", content=turn.heard)] if turn.heard else []
    return [Message(role="user", content=turn.question), *reply]
