"""`tingshuo ask` and what it shares with the demo: one question at the terminal."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anyio.to_thread import run_sync

from agent.assistant import Assistant
from agent.events import PassagesFound, TextDelta, TranscriptReady, TurnEvent
from api.answer import Answer, Asked, answered, as_json
from api.question import check_names, question_of
from api.terminal.recording import check_writable, write_recording
from api.terminal.screen import NO_DOCUMENTS, note, print_answer, print_json, status
from api.tracing.opening import open_traced
from configs.settings import Settings
from models.audio import AudioChunk
from models.decoding import open_decoder


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options of a command ask for."""

    json: bool = False
    out: Path | None = None
    persona: str | None = None
    knowledge: tuple[str, ...] = ()
    user: str | None = None
    conversation: str | None = None
    speak: bool = True

    def __post_init__(self) -> None:
        """Raises RequestError for names that cannot be any."""
        check_names(persona=self.persona, user=self.user, conversation=self.conversation, knowledge=self.knowledge)


async def ask(settings: Settings, argument: str, wishes: Wishes) -> None:
    """Asks once and prints the answer."""
    if wishes.out:
        check_writable(wishes.out)
    question = question_of(argument, settings.limits.question_characters)
    with status("Opening…") as say:
        sound = await recorded(settings, question)
        async with open_traced(settings, hears=sound is not None, speaks=wishes.speak) as assistant:
            answer, path = await asked_of(assistant, question, sound, wishes, say)
            if answer.turn.refused and not await assistant.store.knowledge.knowledge_bases():
                note(NO_DOCUMENTS)
    show(answer, path, wishes)


async def recorded(settings: Settings, question: str | Path) -> AudioChunk | None:
    """The sound of a recording; None for a question in words. Raises AudioUnsupported, RequestTooLarge."""
    if isinstance(question, str):
        return None
    limits = settings.limits
    async with open_decoder(limits) as decoder:
        return await decoder.decode(question, max_bytes=limits.audio_bytes, max_seconds=limits.audio_seconds)


async def asked_of(
    assistant: Assistant, question: str | Path, sound: AudioChunk | None, wishes: Wishes, say: Callable[[str], None]
) -> tuple[Answer, Path | None]:
    """The answer, and the file that its sound was written to."""

    async def follow(event: TurnEvent) -> None:
        match event:
            case TranscriptReady():
                say("Looking it up…")
            case PassagesFound():
                say("Thinking…")
            case TextDelta():
                say("Speaking…" if wishes.speak else "Writing…")

    say("Listening…" if sound else "Looking it up…")
    asked = Asked(
        text=question if isinstance(question, str) else "",
        sound=sound,
        called=repr(str(question)),
        persona=wishes.persona,
        knowledge=wishes.knowledge,
        user=wishes.user,
        conversation=wishes.conversation,
        speak=wishes.speak,
    )
    answer = await answered(assistant, asked, follow)
    if answer.sound is None:
        return answer, None
    path = wishes.out or assistant.settings.data.expanduser() / "answers" / f"{answer.turn.turn}.wav"
    await run_sync(write_recording, path, answer.sound)
    return answer, path


def show(answer: Answer, path: Path | None, wishes: Wishes) -> None:
    """Prints the answer, as it was asked for."""
    if not wishes.json:
        print_answer(answer, path)
        return
    audio = None
    if path and answer.sound:
        audio = {"path": str(path), "seconds": round(answer.sound.seconds, 3), "sample_rate": answer.sound.rate}
    print_json(as_json(answer, audio))
