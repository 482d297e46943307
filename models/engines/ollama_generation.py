"""One reply's wishes in Ollama's names: only options that leave the model loaded; sends nothing."""

from typing import Any

from models.engines.ollama import OllamaChat
from models.generation import Generation


def bindings(chat: OllamaChat, wanted: Generation) -> dict[str, Any]:
    """What is to be bound to the chat for this reply. No reply is given more than half the context."""
    half = chat.context // 2
    # Thoughts count as part of the reply.
    tokens = wanted.tokens or (half if wanted.reasoning else None)
    options = {
        "num_predict": min(tokens, half) if tokens else None,
        "temperature": wanted.temperature,
        "top_p": wanted.top_p,
        "seed": wanted.seed,
        "stop": list(wanted.stop) or None,
        "presence_penalty": wanted.presence_penalty,
        "frequency_penalty": wanted.frequency_penalty,
    }
    found: dict[str, Any] = {"options": {name: value for name, value in options.items() if value is not None}}
    if wanted.reasoning is not None:
        found["reasoning"] = wanted.reasoning
    if wanted.shape is not None:
        found["format"] = wanted.shape if wanted.shape == "json" else dict(wanted.shape)
    return found
