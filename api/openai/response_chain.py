"""What a response follows: earlier turns from the ledger, and calls that wait for results; nobody else's of either."""

from dataclasses import dataclass
from typing import Final

from agent.turn import FORGOTTEN
from api.openai.chat_request import Message
from api.openai.response_request import Item
from configs.errors import PreviousResponseNotFound, RequestError
from memory.turns import StoredTurn, Turns

WAITING: Final = 256
"""Responses that called tools of the client's and are known still."""
LONGEST: Final = 200
"""Turns of a conversation that are read."""
LOOKED_AT: Final = 8
"""Ids of items, the last ones, by which their conversation is sought."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What came before a request."""

    conversation: str
    messages: list[Message]


class ResponseChains:
    """Finds them, over one ledger; calls that wait are kept here alone, and not after a restart."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._waiting: dict[tuple[str, str], list[Message]] = {}

    def wait(self, user: str, turn: str, since: list[Message]) -> None:
        """Keeps what followed the question of a turn that has ended with calls, them last; the oldest go first."""
        self._waiting[user, turn] = since
        while len(self._waiting) > WAITING:
            self._waiting.pop(next(iter(self._waiting)))

    async def before(self, response: str, user: str) -> Chain:
        """What came up to a response of a user's. Raises PreviousResponseNotFound, also for another user's."""
        turn = await self._turns.one(response.removeprefix("resp_")) if response.startswith("resp_") else None
        kept = await self._turns.of(turn.conversation, LONGEST, user=user) if turn and turn.user == user else ()
        places = [at for at, one in enumerate(kept) if turn and one.id == turn.id]
        if turn is None or not places:
            raise PreviousResponseNotFound(
                f"no response {response!r} is kept", "Send the whole conversation.", "previous_response_id"
            )
        messages = [message for one in kept[: places[0]] for message in _exchange(one)]
        question, *reply = _exchange(turn) or [Message(role="user", content=FORGOTTEN)]
        return Chain(turn.conversation, [*messages, question, *self._waiting.get((user, turn.id), reply)])

    async def conversation_of(self, items: list[Item], user: str) -> str:
        """The conversation that items of a user's were answered in, by their ids; "" where none tells."""
        named = [turn for item in items if (turn := _turn_in(item.id))]
        for turn in reversed(named[-LOOKED_AT:]):
            kept = await self._turns.one(turn)
            if kept and kept.user == user:
                return kept.conversation
        return ""

    async def resolved(self, items: list[Item], user: str) -> list[Item]:
        """The items, with those in place of references. Raises RequestError for one that is not known."""
        return [
            await self._item(item, f"input.{at}", user) if item.type == "item_reference" else item
            for at, item in enumerate(items)
        ]

    async def _item(self, reference: Item, where: str, user: str) -> Item:
        turn, id = _turn_in(reference.id), reference.id or ""
        if id.startswith("rs_"):
            # What the model has thought is not given to it again.
            return Item(type="reasoning", id=id)
        calling = self._waiting.get((user, turn), [])
        if id.startswith("fc_") and calling:
            place = id.rpartition("_")[2]
            for at, call in enumerate(calling[-1].tool_calls or ()):
                if str(at) == place:
                    name, arguments = call.function.name, call.function.arguments
                    return Item(type="function_call", id=id, call_id=call.id, name=name, arguments=arguments)
        if id.startswith("msg_"):
            kept = await self._turns.one(turn)
            said = calling[-1].content if calling else kept.heard if kept and kept.user == user else ""
            if said:
                return Item(id=id, role="assistant", content=said)
        raise RequestError(f"no item {id!r} is known", "Send the item itself.", where)


def _turn_in(id: str | None) -> str:
    """The turn that an item's id tells of; "" where it is none of ours."""
    kind, _, rest = (id or "").partition("_")
    return rest.partition("_")[0] if kind in ("msg", "fc") else ""


def _exchange(turn: StoredTurn) -> list[Message]:
    """A turn as messages; none where its words are forgotten."""
    if turn.question == FORGOTTEN:
        return []
    reply = [Message(role="assistant", content=turn.heard)] if turn.heard else []
    return [Message(role="user", content=turn.question), *reply]
