"""`tingshuo talk`: a spoken conversation through the microphone and the loudspeaker."""

import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from anyio import create_task_group
from anyio.to_thread import run_sync

from agent.assistant import Assistant
from agent.events import SpeechReady, TextDelta, TranscriptReady, TurnEnded, TurnEvent
from api.errors import lines
from api.safe_text import safe, safe_lines
from api.settling import settle
from api.terminal.ask import Wishes
from api.terminal.screen import note, print_evidence
from api.terminal.sound_devices import Loudspeaker, load_devices, open_loudspeaker, open_microphone
from api.tracing.opening import open_traced
from configs.settings import Settings
from models.audio import AudioChunk


async def talk(settings: Settings, wishes: Wishes, *, half_duplex: bool) -> None:
    """Talks until it is interrupted."""
    devices = load_devices()
    async with open_traced(settings) as assistant:
        await converse(assistant, devices, wishes, half_duplex=half_duplex)


async def converse(assistant: Assistant, devices: Any, wishes: Wishes, *, half_duplex: bool) -> None:  # noqa: ANN401
    """Talks until the microphone ends; `devices` is the sounddevice package, or what stands in for it."""
    session = await assistant.session(
        persona=wishes.persona, knowledge=wishes.knowledge, user=wishes.user, conversation=wishes.conversation
    )
    assert assistant.mouth
    async with (
        open_loudspeaker(devices, assistant.mouth.format.rate) as loudspeaker,
        open_microphone(devices) as frames,
        aclosing(_heard(frames, loudspeaker, half_duplex)) as heard,
        create_task_group() as warming,
    ):
        warming.start_soon(_warm, assistant, wishes.persona)
        note(
            "Listening. Ctrl-C ends."
            if half_duplex
            else "Listening: speak over a reply to cut it short. Wear headphones, or add --half-duplex. Ctrl-C ends."
        )
        scene = Scene(loudspeaker)
        await session.run(heard, scene.show)
        warming.cancel_scope.cancel()


async def _warm(assistant: Assistant, persona: str | None) -> None:
    await assistant.warm(persona)
    await run_sync(settle)


class Scene:
    """Shows and plays what a session tells."""

    def __init__(self, loudspeaker: Loudspeaker) -> None:
        self._loudspeaker = loudspeaker

    async def show(self, event: TurnEvent) -> None:
        """One event; what an interrupted reply still had to say is not played."""
        match event:
            case TranscriptReady():
                sys.stdout.write(f"> {safe(event.transcript.text) or '…'}\n")
            case TextDelta():
                sys.stdout.write(safe_lines(event.text))
            case SpeechReady():
                self._loudspeaker.add(event.chunk.audio)
            case TurnEnded():
                self._ended(event)
        sys.stdout.flush()

    def _ended(self, turn: TurnEnded) -> None:
        if turn.outcome == "interrupted":
            self._loudspeaker.cut()
            sys.stdout.write(" …")
        if turn.reply:
            sys.stdout.write("\n")
        print_evidence(turn)
        if turn.error:
            note(lines(turn.error))


async def _heard(
    frames: AsyncIterator[AudioChunk], loudspeaker: Loudspeaker, half_duplex: bool
) -> AsyncGenerator[AudioChunk, None]:
    """The frames; in half duplex those that hold the reply's own sound are silence."""
    async for frame in frames:
        deaf = half_duplex and loudspeaker.playing
        yield AudioChunk(bytes(len(frame.pcm)), frame.rate) if deaf else frame
