"""The models as OpenAI's clients list them: each is a persona; which engine thinks for it, they are not told."""

from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter

from agent.assistant import Assistant
from api.openai.answers import Model, ModelList
from api.openapi import JSON, answers, refusals
from configs.errors import ModelNotServed
from configs.persona import Personas


class ModelRoutes:
    """The routes below /v1/models, over one assistant."""

    def __init__(self, assistant: Assistant) -> None:
        self._personas = assistant.personas
        self.router = APIRouter(prefix="/v1/models", tags=["models"])
        self.router.get("", responses=answers("The personas.", {JSON: ModelList}))(self.listed)
        self.router.get("/{model:path}", responses=answers("The persona.", {JSON: Model}) | refusals(404))(self.one)

    async def listed(self) -> dict[str, Any]:
        """All personas."""
        return {"object": "list", "data": await run_sync(self._all)}

    async def one(self, model: str) -> dict[str, Any]:
        """One persona."""
        return await run_sync(self._checked, model)

    def _all(self) -> list[dict[str, Any]]:
        return [_as_json(self._personas, name) for name in self._personas.names()]

    def _checked(self, name: str) -> dict[str, Any]:
        check_persona(self._personas, name)
        return _as_json(self._personas, name)


def check_persona(personas: Personas, model: str) -> None:
    """Raises ModelNotServed where no persona has the name of a model; blocking."""
    names = personas.names()
    if model not in names:
        raise ModelNotServed(f"the model {model!r} does not exist", f"Take one of {', '.join(names)}.", "model")


def _as_json(personas: Personas, name: str) -> dict[str, Any]:
    # A client may show it: when the persona was last changed.
    changed = max(int(path.stat().st_mtime) for path in personas.files(name))
    return {"id": name, "object": "model", "created": changed, "owned_by": "tingshuo"}
