"""The agent's share of the wait for the first token: lookups, memory and graph, over a model that takes no time."""

from pathlib import Path

from agent.assistant import Assistant, open_assistant
from benchmarks.figures import Figure, spread
from configs.settings import load_settings

TURNS = 200
THINGS = ("red bicycle", "cello", "old radio", "garden shed", "telescope", "sourdough", "canoe", "typewriter")
PLACES = ("Lisbon", "Oslo", "Kyoto", "Quito", "Hanoi", "Galway", "Turin", "Perth")


async def measure(folder: Path) -> list[Figure]:
    """Two hundred turns of one conversation, each told and asked something else; the last hundred count."""
    settings = load_settings(data=folder, chat={"engine": "fake"}, embeddings={"engine": "hashed"}, persona="companion")
    async with open_assistant(settings, hears=False, speaks=False) as assistant:
        told = await _first_tokens(assistant, "I bought a {thing} in {place} for {number} euros.")
        asked = await _first_tokens(assistant, "How much was the {thing} from {place}, number {number}?")
    where = f"{TURNS} turns before it, as many memories, hashed embeddings"
    return [
        Figure("first token of the agent, telling", spread(told[TURNS // 2 :]), "p50 < 10 ms", "no time in the model"),
        Figure("first token of the agent, asking", spread(asked[TURNS // 2 :]), "p50 < 10 ms", where),
    ]


async def _first_tokens(assistant: Assistant, text: str) -> list[float]:
    """Milliseconds from the question to the first token, turn by turn."""
    waits = []
    for number in range(TURNS):
        said = text.format(thing=THINGS[number % 8], place=PLACES[number // 8 % 8], number=number)
        timings = (await assistant.ask(text=said, conversation="bench", speak=False)).timings_ms
        waits.append(timings["first_token"] - timings["transcript"])
        # A person leaves more time than that between two turns.
        await assistant.store.memories.catch_up()
    return waits
