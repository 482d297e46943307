"""The turn's own share of the wait: over engines that take no time, and over engines that take a known time."""

from pathlib import Path

from agent.assistant import open_assistant
from benchmarks.figures import Figure, spread
from configs.settings import Settings, load_settings

REPLIES = {
    "zh": "好的，我来为您查一下，公司的员工手册里写着全职员工每年有二十五天带薪年假，可以分次使用。"
    "如果当年没有用完，最多可以把五天结转到下一年。请提前两周向主管提出申请。",
    "en": "Sure, let me look that up for you, the employee handbook says that everyone who works full time gets "
    "twenty five days of paid leave a year. You may carry five of them over. Please ask two weeks ahead.",
}
QUESTIONS = {"zh": "员工每年有多少天年假？", "en": "How many days of leave do we get?"}
FLOOR = {"zh": 225 + 150, "en": 200 + 150}
"""Milliseconds: the token that ends the first clause, and the voice's first chunk."""


async def measure(folder: Path) -> list[Figure]:
    """Overhead with zero-time fakes, then first audio with stub engines in both languages."""
    idle = await _first_audio(_settings(folder / "zero", QUESTIONS["en"], REPLIES["en"]), QUESTIONS["en"], 200)
    figures = [
        Figure(
            "transcript to first audio, zero-time engines",
            spread(idle[20:]),
            "p50 < 5 ms",
            "200 turns of one conversation, the first 20 left out",
        )
    ]
    for language, floor in FLOOR.items():
        settings = _settings(
            folder / language, QUESTIONS[language], REPLIES[language], first_token=0.2, token=0.025, first_chunk=0.15
        )
        measured = await _first_audio(settings, QUESTIONS[language], 20)
        figures.append(
            Figure(
                f"first audio, stub engines, {language}",
                spread(measured[2:]),
                f"floor {floor} ms + 15 ms",
                "model 200 ms then 25 ms a token, voice 150 ms; 18 turns",
            )
        )
    return figures


def _settings(
    folder: Path, question: str, reply: str, *, first_token: float = 0, token: float = 0, first_chunk: float = 0
) -> Settings:
    return load_settings(
        data=folder,
        chat={"engine": "fake", "fake": {"replies": [reply], "first_token": first_token, "token": token}},
        embeddings={"engine": "hashed"},
        text_to_speech={"engine": "fake", "fake": {"first_chunk": first_chunk}},
        persona="companion",
    )


async def _first_audio(settings: Settings, question: str, turns: int) -> list[float]:
    """Milliseconds from the transcript to the first audio, turn by turn."""
    async with open_assistant(settings, hears=False) as assistant:
        waits: list[float] = []
        for _ in range(turns):
            ended = await assistant.ask(text=question, conversation="bench")
            assert ended.outcome == "completed", ended
            waits.append(ended.timings_ms["first_audio"] - ended.timings_ms["transcript"])
        return waits
