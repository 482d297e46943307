"""What a stable, preloaded prefix is worth: time to the first token on a real Ollama, where one answers."""

import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from statistics import median
from typing import Any, cast
from uuid import uuid4

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from agent.prompt import few_shot, system_prompt
from benchmarks.figures import Figure
from configs.persona import Persona, Personas, persona_folders
from configs.settings import Settings, load_settings
from models.engines.ollama import OllamaChat, open_chat
from models.readiness import chat_candidates
from tools.knowledge_search import knowledge_search

ROUNDS = 5
QUESTIONS = ("How do I keep basil alive in winter?", "And how often should I water it?")


async def measure(folder: Path) -> list[Figure]:
    """The first turn with and without the preload, and the second turn; or one line where no Ollama answers."""
    settings = load_settings(data=folder)
    persona = Personas(persona_folders(folder)).get("default")
    (found, *_) = await chat_candidates(settings, (persona.model, persona.brain.from_))
    if not found.ready:
        return [Figure("time to the first token", "not measured", "", found.reason)]
    first, hot, second = await _waits(settings, persona, found.model)
    where = f"{found.model} at {settings.chat.ollama.servers[0]}, median of {ROUNDS}"
    return [
        Figure("first token, first turn, nothing preloaded", f"{median(first):.0f} ms", "", where),
        Figure("first token, first turn, prefix preloaded", f"{median(hot):.0f} ms", "", where),
        Figure("first token, second turn", f"{median(second):.0f} ms", f"< {median(first):.0f} ms", where),
    ]


async def _waits(settings: Settings, persona: Persona, model: str) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds to the first token of a first turn, of one after the preload, and of a second turn."""
    first, hot, second = list[float](), list[float](), list[float]()
    chat = open_chat(settings.chat.ollama, model, persona.brain.parameters)
    try:
        await _first_token(chat, [HumanMessage("Hello.")])  # The model is loaded; only the prompt is new.
        for _ in range(ROUNDS):
            opening = _prefix(persona)
            turn: list[AnyMessage] = [*opening, HumanMessage(QUESTIONS[0])]
            waited, reply = await _first_token(chat, turn)
            first.append(waited)
            waited, _reply = await _first_token(chat, [*turn, AIMessage(reply), HumanMessage(QUESTIONS[1])])
            second.append(waited)
            opening = _prefix(persona)
            await chat.preload([*opening, HumanMessage("Hello.")], [knowledge_search])
            waited, _reply = await _first_token(chat, [*opening, HumanMessage(QUESTIONS[0])])
            hot.append(waited)
    finally:
        await chat.aclose()
    return first, hot, second


def _prefix(persona: Persona) -> list[AnyMessage]:
    """The beginning of the persona's prompts, with a name that no prompt cache knows yet."""
    return [SystemMessage(f"({uuid4().hex})\n{system_prompt(persona)}"), *few_shot(persona)]


async def _first_token(chat: OllamaChat, messages: Sequence[AnyMessage]) -> tuple[float, str]:
    """Milliseconds until the first text, and the whole reply."""
    began, waited, reply = time.perf_counter(), 0.0, ""
    stream = cast("Any", chat.bind_tools([knowledge_search]).astream(list(messages)))
    async with aclosing(stream) as pieces:
        async for piece in pieces:
            if not waited and (piece.text or piece.tool_calls):
                waited = (time.perf_counter() - began) * 1000
            reply += piece.text
    return waited, reply
