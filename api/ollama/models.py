"""Personas as Ollama lists its models; what a persona is told and which model thinks for it, nobody is shown."""

from hashlib import sha256
from typing import Any, Final

from anyio.to_thread import run_sync

from agent.assistant import Assistant
from agent.conversation import Conversation
from api.ollama.lines import moment
from configs.errors import ModelNotServed
from models.registry import Served

TAG: Final = ":latest"
NEVER: Final = "9999-12-31T23:59:59Z"
"""When a persona is let go of."""
DETAILS: Final = {
    "parent_model": "",
    "format": "persona",
    "family": "tingshuo",
    "families": ["tingshuo"],
    "parameter_size": "",
    "quantization_level": "",
}
TEMPLATE: Final = "{{ .System }}{{ .Tools }}{{ .Prompt }}"
"""What a client may send; some find out from it whether there are tools."""


class OllamaModels:
    """The personas of one assistant."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._personas = assistant.personas
        self._asked: set[str] = set()

    def find(self, model: str) -> str:
        """The persona that a client calls by a name, with or without a tag. Raises ModelNotServed; blocking."""
        names = self._personas.names()
        found = next((name for name in (model, model.removesuffix(TAG)) if name in names), None)
        if found is None:
            raise not_found(model)
        return found

    def listed(self) -> list[dict[str, Any]]:
        """All personas; blocking."""
        return [told for _, told in self._named()]

    def asked(self, name: str) -> None:
        """Notes that a persona has answered here, or was loaded."""
        self._asked.add(name)

    async def running(self) -> list[dict[str, Any]]:
        """Those that have answered here. Raises as `open` does."""
        known = [one for one in await run_sync(self._named) if one[0] in self._asked]
        contexts = [context_of(await self.open(name)) for name, _ in known]
        more = {"expires_at": NEVER, "size_vram": 0}
        return [{**told, **more, "context_length": context} for (_, told), context in zip(known, contexts, strict=True)]

    async def open(self, name: str) -> Conversation:
        """A persona that has what it answers with. Raises as `Assistant.company` does."""
        company = await self._assistant.company(name, (), speak=False, hears=False)
        conversation = company.responder
        assert isinstance(conversation, Conversation)
        return conversation

    async def shown(self, name: str) -> dict[str, Any]:
        """What a client may know of one persona. Raises as `open` does."""
        conversation = await self.open(name)
        served, context = isinstance(conversation.chat, Served), context_of(conversation)
        found: dict[str, Any] = {"general.architecture": "tingshuo", "general.basename": name}
        return {
            "modelfile": "",
            "parameters": "",
            "template": TEMPLATE if served else TEMPLATE.replace("{{ .Tools }}", ""),
            "license": "",
            "details": DETAILS,
            "model_info": found | ({"tingshuo.context_length": context} if context else {}),
            "capabilities": ["completion", "tools", "thinking"] if served else ["completion"],
            "modified_at": await run_sync(self._changed, name),
        }

    def _named(self) -> list[tuple[str, dict[str, Any]]]:
        return [(name, self._described(name)) for name in self._personas.names()]

    def _described(self, name: str) -> dict[str, Any]:
        contents = [path.read_bytes() for path in self._personas.files(name)]
        called = name if ":" in name else name + TAG
        return {
            "name": called,
            "model": called,
            "modified_at": self._changed(name),
            "size": sum(map(len, contents)),
            "digest": sha256(b"\0".join(contents)).hexdigest(),
            "details": DETAILS,
        }

    def _changed(self, name: str) -> str:
        return moment(max(path.stat().st_mtime for path in self._personas.files(name)))


def context_of(conversation: Conversation) -> int:
    """The tokens of a conversation's context; 0 where no server's model has one."""
    return conversation.chat.context if isinstance(conversation.chat, Served) else 0


def not_found(model: str) -> ModelNotServed:
    """As Ollama says it; clients look for these words."""
    return ModelNotServed(f"model '{model}' not found", "GET /api/tags lists the personas.", "model")
