"""Ears for recordings that are documents, opened when the first one comes: most folders hold none."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from configs.settings import Settings
from memory.documents import Transcribe
from models.decoding import Decoder
from models.readiness import speech_to_text_candidates, voice_activity_candidates
from models.registry import open_speech_to_text, open_voice_activity
from models.selection import choose
from tools.recordings import Recorded


@asynccontextmanager
async def open_recordings(settings: Settings) -> AsyncGenerator[Transcribe, None]:
    """What hears a file. It raises as `Recorded.transcribe` does, and EngineError where no engine can hear."""
    async with AsyncExitStack() as stack:
        opened: list[Recorded] = []

        async def transcribe(path: Path) -> str:
            if not opened:
                opened.append(await _opened(settings, stack))
            return await opened[0].transcribe(path)

        yield transcribe


async def _opened(settings: Settings, stack: AsyncExitStack) -> Recorded:
    activity = choose("voice_activity", settings.voice_activity.engine, voice_activity_candidates(settings))
    hearing = choose("speech_to_text", settings.speech_to_text.engine, speech_to_text_candidates(settings))
    detector = await open_voice_activity(activity, settings)
    ears = await open_speech_to_text(hearing, settings, detector)
    stack.push_async_callback(ears.aclose)
    decoder = Decoder(settings.limits)
    stack.push_async_callback(decoder.aclose)
    return Recorded(ears, detector, decoder, settings.listening, settings.limits)
