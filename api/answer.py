"""One answer as every door gives it: the turn that was run, its sound, and its JSON; decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from agent.assistant import Assistant, ignore
from agent.events import SpeechReady, TurnEnded, TurnEvent
from agent.rights import as_json as memory_json
from agent.turn import Emit
from api.question import check_names
from configs.errors import NoSpeechHeard
from models.audio import AudioChunk, joined
from models.selection import Choice, Slot


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and how it is to be answered."""

    text: str = ""
    sound: AudioChunk | None = None
    """In place of the text."""
    called: str = "the recording"
    """What an error calls the sound."""
    persona: str | None = None
    knowledge: Sequence[str] = ()
    user: str | None = None
    conversation: str | None = None
    speak: bool = True

    def __post_init__(self) -> None:
        """Raises RequestError for names that cannot be any."""
        check_names(persona=self.persona, user=self.user, conversation=self.conversation, knowledge=self.knowledge)


@dataclass(frozen=True, slots=True)
class Answer:
    """A turn that has ended well."""

    turn: TurnEnded
    sound: AudioChunk | None
    """None where nothing was to be spoken."""
    engines: tuple[Choice, ...]


async def answered(assistant: Assistant, asked: Asked, emit: Emit = ignore) -> Answer:
    """Runs one turn. Raises NoSpeechHeard, and what made the turn fail."""
    heard: list[AudioChunk] = []

    async def listen(event: TurnEvent) -> None:
        if isinstance(event, SpeechReady):
            heard.append(event.chunk.audio)
        await emit(event)

    turn = await assistant.ask(
        text=asked.text,
        sound=asked.sound,
        persona=asked.persona,
        knowledge=asked.knowledge,
        user=asked.user,
        conversation=asked.conversation,
        speak=asked.speak,
        emit=listen,
    )
    if turn.error is not None:
        raise turn.error
    if turn.outcome == "unheard":
        why = f" ({turn.transcript.gate})" if turn.transcript and turn.transcript.gate else ""
        raise NoSpeechHeard(f"no speech was heard in {asked.called}{why}", "Speak louder, closer or longer.")
    speaks = asked.speak and assistant.mouth is not None
    return Answer(turn, joined(heard, _rate(assistant)) if speaks else None, in_order(assistant.choices))


def as_json(answer: Answer, audio: Mapping[str, Any] | None) -> dict[str, Any]:
    """The answer's JSON; `audio` is the door's own way to hand out the sound."""
    turn = answer.turn
    return {
        "turn": turn.turn,
        "conversation": turn.conversation,
        "outcome": turn.outcome,
        "language": turn.language,
        "transcript": turn.transcript.text if turn.transcript else None,
        "reply": {
            "text": turn.reply,
            "spoken": turn.spoken,
            "refused": turn.refused,
            "citations": [asdict(citation) for citation in turn.citations],
            "unsupported": list(turn.unsupported),
            "at_limit": turn.at_limit,
        },
        "memories": [memory_json(memory) for memory in turn.memories],
        "audio": audio,
        "engines": engines(answer.engines),
        "timings_ms": turn.timings_ms,
        "usage": asdict(turn.usage) if turn.usage else None,
    }


def in_order(choices: Iterable[Choice]) -> tuple[Choice, ...]:
    """The engines, the slots in the order that a person thinks of them."""
    return tuple(sorted(choices, key=lambda choice: get_args(Slot).index(choice.slot)))


def engines(choices: Iterable[Choice]) -> dict[str, dict[str, Any]]:
    """The engines in use, by slot."""
    return {choice.slot: {key: value for key, value in asdict(choice).items() if key != "slot"} for choice in choices}


def _rate(assistant: Assistant) -> int:
    assert assistant.mouth
    return assistant.mouth.format.rate
