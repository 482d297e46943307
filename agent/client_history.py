"""A client's exchanges in the ledger: each once, however often the client sends them; it changes no word."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.client_request import Parted
from agent.inquiry import Inquiry
from memory.memories import Memories
from memory.turns import StoredTurn, Turns


@dataclass(frozen=True, slots=True)
class ClientHistory:
    """Where the turns of one request are kept."""

    turns: Turns
    memories: Memories
    sent: Parted
    """What the client has sent."""

    async def add(self, turn: StoredTurn) -> None:
        """Keeps a turn, in place of those that the client has replaced; one without a reply replaces none."""
        if not turn.reply and turn.outcome != "completed":
            return
        kept = await self.turns.of(turn.conversation, user=turn.user)
        begun = "".join(message.text for message in self.sent.since if message.type == "ai")
        if gone := replaced(kept, self.sent.exchanges, turn.question, begun):
            await self.memories.withdraw(turn.user, gone)
        if begun and turn.reply:
            # What the client had already, of a reply that was continued.
            turn = replace(turn, reply=begun + turn.reply, heard=begun + turn.heard)
        await self.turns.add(turn)


async def seen(turns: Turns, inquiry: Inquiry, sent: Parted) -> tuple[str, ...]:
    """The turns that the client's own messages hold."""
    asked = {_folded(question) for question, _ in sent.exchanges}
    kept = await turns.of(inquiry.conversation, user=inquiry.user)
    return tuple(turn.id for turn in kept if _folded(turn.question) in asked)


def replaced(
    kept: Sequence[StoredTurn], earlier: Sequence[tuple[str, str]], question: str, begun: str = ""
) -> tuple[str, ...]:
    """The ids of the turns that a new one takes the place of: those after the last exchange that the client still
    has, as when a reply is made anew or a question is edited.

    Where that exchange is not found as it was kept, and where the client sends no history, only a turn that asks the
    same at the same place is replaced: a client may leave out what it likes. `begun`: the part of the reply that the
    client has already, whose turn is replaced as well.
    """
    if not earlier:
        if (
            begun
            and kept
            and (_folded(kept[-1].question), _folded(kept[-1].reply)) == (_folded(question), _folded(begun))
        ):
            return (kept[-1].id,)
        same = len(kept) == 1 and _folded(kept[0].question) == _folded(question)
        return (kept[0].id,) if same else ()
    last = tuple(map(_folded, earlier[-1]))
    places = [at for at, turn in enumerate(kept) if (_folded(turn.question), _folded(turn.reply)) == last]
    if places:
        return tuple(turn.id for turn in kept[places[-1] + 1 :])
    ends = [_folded(turn.question) for turn in kept[-2:]]
    return (kept[-1].id,) if ends == [last[0], _folded(question)] else ()


def _folded(text: str) -> str:
    return " ".join(text.split())
