"""Turns that were kept, and where their time went; a caller sees those of its own user alone."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from agent.assistant import Assistant
from api.guard.principal import Caller
from api.native.answers import Turn, TurnList
from api.openapi import JSON, answers, refusals
from configs.errors import TurnNotFound
from memory.turns import StoredTurn

Name = Annotated[str, Query(min_length=1, max_length=200)]
LISTED = 100


class TurnRoutes:
    """The routes below /v1/turns, over one assistant."""

    def __init__(self, assistant: Assistant) -> None:
        self._turns = assistant.store.turns
        self.router = APIRouter(prefix="/v1/turns", tags=["turns"])
        self.router.get("", responses=answers("The turns.", {JSON: TurnList}))(self.listed)
        self.router.get("/{turn}", responses=answers("The turn.", {JSON: Turn}) | refusals(404))(self.one)

    async def listed(
        self,
        caller: Caller,
        conversation: Name,
        user: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = LISTED,
    ) -> dict[str, Any]:
        """The last turns of a conversation, the oldest first."""
        found = await self._turns.of(conversation, limit, user=caller.acting_as(user))
        return {"object": "list", "data": [as_json(turn) for turn in found]}

    async def one(
        self,
        caller: Caller,
        turn: Annotated[str, Path(max_length=200)],
        user: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    ) -> dict[str, Any]:
        """One turn of the caller's own."""
        of = caller.acting_as(user)
        found = await self._turns.one(turn)
        if found is None or found.user != of:
            raise TurnNotFound(f"no turn {turn!r} is kept", "It may have been forgotten.")
        return as_json(found)


def as_json(turn: StoredTurn) -> dict[str, Any]:
    """A turn for a program."""
    return {
        "id": turn.id,
        "object": "turn",
        "conversation": turn.conversation,
        "persona": turn.persona,
        "language": turn.language,
        "created_at": turn.created_at.isoformat(),
        "outcome": turn.outcome,
        "rests_on": turn.rests_on,
        "stages": waterfall(turn.timings_ms),
        "citations": [asdict(citation) for citation in turn.citations],
        "tools": [{"name": call.name, "arguments": dict(call.arguments)} for call in turn.tools],
    }


def waterfall(timings_ms: Mapping[str, float]) -> list[dict[str, Any]]:
    """The stages in the order in which they were reached, each with its distance from the one before."""
    stages, before = [], 0.0
    for stage, at in sorted(timings_ms.items(), key=lambda one: one[1]):
        stages.append({"stage": stage, "at_ms": at, "took_ms": round(at - before, 1)})
        before = at
    return stages
