"""Memory over HTTP: a user's memories listed, corrected, exported and forgotten; whose they are, the key says."""

import json
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from agent.assistant import Assistant
from agent.rights import LISTED, as_json
from api.guard.principal import Caller, Principal
from api.native.answers import Erased, Exported, Remembered, RememberedList
from api.openapi import JSON, answers, lines_of, refusals
from configs.errors import RequestError
from memory.remembered import Forgotten, Kind, Space

LINES: Final = "application/jsonl"
Name = Annotated[str | None, Query(min_length=1, max_length=200)]
Number = Annotated[int, Path(ge=1, lt=2**63)]


class Correction(BaseModel):
    """A better text for a fact or a note."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=8_000)


class MemoryRoutes:
    """The routes below /v1/memory, over one assistant."""

    def __init__(self, assistant: Assistant) -> None:
        self._rights = assistant.rights
        one, erased = answers("The memory.", {JSON: Remembered}), answers("What is gone.", {JSON: Erased})
        exported = answers("Turns, then memories.", {LINES: lines_of(Exported)})
        self.router = APIRouter(prefix="/v1/memory", tags=["memory"], responses=refusals(507))
        self.router.get("", responses=answers("Memories.", {JSON: RememberedList}))(self.listed)
        self.router.get("/export", response_class=StreamingResponse, responses=exported)(self.exported)
        self.router.patch("/{number:int}", responses=one | refusals(404, 409))(self.corrected)
        self.router.delete("/{number:int}", responses=erased | refusals(404))(self.forgotten)
        self.router.delete("", responses=erased)(self.all_forgotten)

    async def listed(
        self,
        caller: Caller,
        user: Name = None,
        persona: Name = None,
        kind: Kind | None = None,
        search: Annotated[str | None, Query(max_length=1_000)] = None,
        closed: bool = False,
        limit: Annotated[int, Query(ge=1, le=1_000)] = LISTED,
        before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    ) -> dict[str, Any]:
        """Memories, the newest first; the next page begins `before` the last id."""
        found = await self._rights.memories.list(
            _space(caller, user, persona), kind=kind, closed=closed, search=search, limit=limit, before=before
        )
        return {"object": "list", "data": [as_json(one) for one in found], "has_more": len(found) == limit}

    async def exported(self, caller: Caller, user: Name = None, persona: Name = None) -> StreamingResponse:
        """Everything, as JSON lines."""
        space = _space(caller, user, persona)

        async def lines() -> AsyncGenerator[str, None]:
            async for entry in self._rights.memories.export(space):
                yield json.dumps(entry, ensure_ascii=False) + "\n"

        return StreamingResponse(lines(), media_type=LINES)

    async def corrected(
        self, caller: Caller, number: Number, correction: Correction, user: Name = None, persona: Name = None
    ) -> dict[str, Any]:
        """Corrects a fact or a note."""
        return as_json(await self._rights.memories.edit(_space(caller, user, persona), number, correction.text))

    async def forgotten(
        self, caller: Caller, number: Number, user: Name = None, persona: Name = None
    ) -> dict[str, Any]:
        """Erases a memory, and the turn that it was said in."""
        return _told(await self._rights.forget(_space(caller, user, persona), [number]))

    async def all_forgotten(
        self,
        caller: Caller,
        user: Name = None,
        persona: Name = None,
        about: Annotated[str | None, Query(min_length=1, max_length=1_000)] = None,
        everything: Annotated[bool, Query(alias="all")] = False,
    ) -> dict[str, Any]:
        """Erases what holds some words (`about`), or with `all=true` everything that is kept of the user."""
        if (about is not None) == everything:
            raise RequestError("it is not clear what to forget", "Give either `about`, or `all=true`.")
        if about is not None:
            return _told(await self._rights.forget_about(_space(caller, user, persona), about))
        return _told(await self._rights.forget_all(caller.acting_as(user)))


def _space(caller: Principal, user: str | None, persona: str | None) -> Space:
    return Space(caller.acting_as(user), persona or "")


def _told(gone: Forgotten) -> dict[str, Any]:
    return {"object": "memory.deleted", "memories": gone.memories, "turns": len(gone.turns)}
