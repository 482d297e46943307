"""Personas over HTTP: who can answer, and how each speaks; what its model is told, nobody is shown."""

from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter

from agent.assistant import Assistant
from api.native.answers import PersonaCard, PersonaList
from api.openapi import JSON, answers, refusals
from configs.persona import Persona

SHOWN = {"name", "title", "description", "language", "voice", "greeting", "tools", "knowledge", "memory", "grounded"}


class PersonaRoutes:
    """The routes below /v1/personas, over one assistant."""

    def __init__(self, assistant: Assistant) -> None:
        self._personas = assistant.personas
        self._default = assistant.settings.persona
        self.router = APIRouter(prefix="/v1/personas", tags=["personas"])
        self.router.get("", responses=answers("The personas.", {JSON: PersonaList}))(self.listed)
        self.router.get("/{persona}", responses=answers("The persona.", {JSON: PersonaCard}) | refusals(404))(self.one)

    async def listed(self) -> dict[str, Any]:
        """All personas; `default` marks the one that answers where none is named."""
        return {"object": "list", "data": await run_sync(self._all)}

    async def one(self, persona: str) -> dict[str, Any]:
        """One persona."""
        return self._as_json(await run_sync(self._personas.get, persona))

    def _all(self) -> list[dict[str, Any]]:
        return [self._as_json(self._personas.get(name)) for name in self._personas.names()]

    def _as_json(self, persona: Persona) -> dict[str, Any]:
        told = persona.model_dump(mode="json", by_alias=True, include=SHOWN)
        name = told.pop("name")
        return {"id": name, "object": "persona", "default": name == self._default, **told}
