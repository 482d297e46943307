"""The voices that callers can name; one that is not there is told of, and another speaks."""

from dataclasses import replace

from configs.persona import PersonaVoice
from models.text_to_speech import TextToSpeech, Voice, Voices

ONLY = ("default",)


def voices_of(mouth: TextToSpeech) -> tuple[str, ...]:
    """The names, "default" first; blocking."""
    return mouth.voices if isinstance(mouth, Voices) else ONLY


def voice_for(asked: str, persona: PersonaVoice, known: tuple[str, ...]) -> tuple[Voice, list[str]]:
    """Who speaks, with the persona's ways, and what the caller is to be warned of, in ASCII."""
    own = Voice(**persona.model_dump())
    name = asked.strip()
    found = next((voice for voice in known if voice.lower() == name.lower()), None)
    if found or not name:
        return replace(own, name=found or own.name), []
    told = ascii(name[:64])[1:-1].replace('"', "'").replace("\\", "/")
    return own, [f"there is no voice '{told}'; the default voice speaks"]
