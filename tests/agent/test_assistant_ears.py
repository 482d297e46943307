"""What an assistant's ears are told: the persona's language and title, and the titles of its documents."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.assistant import Assistant, open_assistant
from configs.errors import EngineFailed
from configs.settings import Settings, load_settings
from models.audio import AudioChunk, silence
from models.speech_to_text import PLAINLY, Hearing, Transcript
from tests.processes import is_gone, processes_of

pytestmark = pytest.mark.anyio

SOUND = silence(1.0, 16_000)


class Recorder:
    """Writes down how it was to hear, and hears nothing."""

    name = "recorder"
    languages = ("en", "zh")
    drafts = False

    def __init__(self) -> None:
        self.asked: list[Hearing] = []

    async def transcribe(self, sound: AudioChunk, hearing: Hearing = PLAINLY) -> Transcript:
        self.asked.append(hearing)
        return Transcript("", "en", sound.seconds, gate="no speech")

    async def aclose(self) -> None:
        """There is nothing to free."""


def settings(data: Path) -> Settings:
    fakes = {slot: {"engine": "fake"} for slot in ("chat", "speech_to_text", "text_to_speech", "voice_activity")}
    return load_settings(data=data, embeddings={"engine": "hashed"}, **fakes)


@pytest.fixture
async def assistant(tmp_path: Path) -> AsyncIterator[Assistant]:
    for name in ("widgets.md", "leave.md"):
        title = {"widgets.md": "Red widgets", "leave.md": "员工手册"}[name]
        (tmp_path / name).write_text(f"# {title}\n\nThe red widget costs ten euros.\n", encoding="utf-8")
    async with open_assistant(settings(tmp_path / "data")) as opened:
        await opened.store.knowledge.ingest([tmp_path / "widgets.md", tmp_path / "leave.md"])
        opened.ears = Recorder()
        yield opened


async def test_they_expect_the_personas_title_and_the_titles_of_its_documents(assistant: Assistant) -> None:
    assert isinstance(assistant.ears, Recorder)
    ended = await assistant.ask(sound=SOUND, speak=False)
    assert ended.outcome == "unheard"
    (asked,) = assistant.ears.asked
    titles = {document.title for document in await assistant.store.knowledge.documents("default")}
    assert len(titles) == 2
    assert titles < set(asked.hotwords)
    assert "听说" in asked.hotwords
    assert asked.language is None


async def test_a_persona_with_a_language_is_spoken_to_in_it(assistant: Assistant, tmp_path: Path) -> None:
    assert isinstance(assistant.ears, Recorder)
    folder = tmp_path / "data" / "personas"
    folder.mkdir()
    (folder / "clerk.yaml").write_text("language: zh\ntitle: {en: Clerk}\nknowledge: []\n", encoding="utf-8")
    (folder / "clerk.Modelfile").write_text("FROM qwen3:8b\n", encoding="utf-8")
    await assistant.ask(sound=SOUND, persona="clerk", speak=False)
    assert assistant.ears.asked == [Hearing("zh", ("Clerk",))]


async def test_what_decodes_recordings_is_started_before_the_first_and_ends_with_the_assistant(tmp_path: Path) -> None:
    async with open_assistant(settings(tmp_path)) as assistant:
        assert processes_of(assistant.decoder) == set()
        await assistant.warm()
        (process,) = processes_of(assistant.decoder)
    assert is_gone(process)


async def test_they_are_warmed_with_the_model(assistant: Assistant) -> None:
    assert isinstance(assistant.ears, Recorder)
    await assistant.warm()
    assert assistant.ears.asked == [Hearing(draft=True)]


async def test_ears_that_fail_when_warmed_say_so_and_stop_nothing(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(*_: object) -> Transcript:
        raise EngineFailed("they are full", "Free some memory.")

    monkeypatch.setattr(assistant.ears, "transcribe", failing)
    await assistant.warm()
    assert caplog.messages == ["they are full (Free some memory.)"]


async def test_a_typed_question_needs_no_ears(assistant: Assistant) -> None:
    company = await assistant.company(None, (), speak=False, hears=False)
    assert company.ears is None
    assert (await assistant.company(None, (), speak=False)).ears is not None
    assert (await assistant.ask(text="What does the red widget cost?", speak=False)).outcome == "completed"


async def test_they_know_the_names_that_the_user_has_told(assistant: Assistant) -> None:
    await assistant.ask(text="My dog is called Rufus.", user="ann", speak=False)
    await assistant.store.memories.catch_up()
    for user, knows in (("ann", True), ("ben", False)):
        await assistant.ask(sound=SOUND, user=user, speak=False)
        ears = assistant.ears
        assert isinstance(ears, Recorder)
        assert ("Rufus" in ears.asked[-1].hotwords) is knows
