"""`tingshuo say`: speaks a text through the voice in force; keeps nothing, and disturbs no server."""

import json
import sys
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from anyio.to_thread import run_sync

from api.question import piped, words
from configs.errors import RequestError, RequestTooLarge
from configs.persona import Persona, load_persona, persona_folders
from configs.settings import Settings
from tools.spoken_clauses import Language, Spoken, in_spoken_form


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options ask for."""

    out: Path | None = None
    voice: str | None = None
    speed: float | None = None
    language: Language = "auto"
    persona: str | None = None


def clauses(settings: Settings, argument: str, wishes: Wishes) -> list[Spoken]:
    """The text's clauses in spoken form; "-" reads the text from standard input.

    Raises RequestError where nothing is to be said, RequestTooLarge, PersonaNotFound and ConfigError.
    """
    most = settings.limits.speech_characters
    text = piped(most, "the text") if argument == "-" else words(argument)
    if len(text) > most:
        raise RequestTooLarge(f"the text has {len(text)} characters; the limit is {most}", "Speak it in parts.")
    found = list(in_spoken_form(text, wishes.language, _persona(settings, wishes).language))
    if not any(one.text.strip() for one in found):
        raise RequestError("there is nothing to say in this text", "Give it a word or a number.")
    return found


def show(found: list[Spoken]) -> None:
    """Prints a JSON line for each clause; opens no engine."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    for one in found:
        line = {"display": one.clause.display, "spoken": one.text, "language": one.language}
        sys.stdout.write(json.dumps(line, ensure_ascii=ascii_only) + "\n")


async def say(settings: Settings, found: list[Spoken], wishes: Wishes) -> None:
    """Speaks the clauses into a file and prints where. Raises what the engine raises, and StorageError."""
    # Loaded here, since `--show` does without.
    from api.terminal.recording import check_writable, write_recording
    from api.terminal.screen import console, status
    from models.audio import AudioChunk, joined
    from models.readiness import text_to_speech_candidates
    from models.registry import open_text_to_speech
    from models.selection import choose
    from models.text_to_speech import Voice

    if wishes.out:
        check_writable(wishes.out)
    its = _persona(settings, wishes).voice
    voice = replace(Voice(**its.model_dump()), name=wishes.voice or its.name, speed=wishes.speed or its.speed)
    choice = choose("text_to_speech", settings.text_to_speech.engine, text_to_speech_candidates(settings))
    chunks: list[AudioChunk] = []
    with status("Opening…") as tell:
        engine = await open_text_to_speech(choice, settings)
        try:
            for number, one in enumerate(found, 1):
                tell(f"Speaking {number} of {len(found)}…")
                if one.text.strip():
                    async with aclosing(engine.synthesize(one.text, language=one.language, voice=voice)) as sound:
                        chunks += [chunk async for chunk in sound]
        finally:
            await engine.aclose()
    spoken = joined(chunks, engine.format.rate)
    if not spoken.samples:
        raise RequestError(f"{choice.engine} finds nothing to say in this text", "Give it a word or a number.")
    path = wishes.out or settings.data / "answers" / f"{uuid4().hex}.wav"
    await run_sync(write_recording, path, spoken)
    console().print(f"{path} ({spoken.seconds:.1f} s, {choice.engine})")


def _persona(settings: Settings, wishes: Wishes) -> Persona:
    return load_persona(wishes.persona or settings.persona, persona_folders(settings.data))
