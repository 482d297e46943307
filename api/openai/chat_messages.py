"""The messages of a client as a model's: parts become text, sounds what was said in them; decides nothing else."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage

from agent.assistant import Assistant
from api.openai.chat_request import Message, ToolCall
from api.question import clean
from configs.errors import EngineUnavailable, NoSpeechHeard, RequestError
from models.speech_to_text import Hearing

KEPT: Final = 256
"""Sounds whose words are known, since clients send them again with each request."""


class ChatMessages:
    """Reads messages; remembers for a while what was said in sounds, and the words of spoken replies."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._words: dict[tuple[str, str], str] = {}

    def keep(self, user: str, sound: str, words: str) -> None:
        """Keeps the words of a user's sound, by its id; the oldest go first."""
        self._words[user, sound] = words
        while len(self._words) > KEPT:
            self._words.pop(next(iter(self._words)))

    async def read(self, messages: Sequence[Message], user: str) -> tuple[AnyMessage, ...]:
        """The messages. Raises RequestError for what cannot be read, and as decoding and hearing do."""
        return tuple([await self._read(message, f"messages.{at}", user) for at, message in enumerate(messages)])

    async def _read(self, message: Message, where: str, user: str) -> AnyMessage:
        text = clean(await self._text(message, where, user))
        match message.role:
            case "system" | "developer":
                return SystemMessage(text)
            case "user":
                if not text.strip():
                    raise RequestError("a message of the user's is empty", "Send text or a sound.", f"{where}.content")
                return HumanMessage(text)
            case "assistant":
                calls = [_call(call, f"{where}.tool_calls") for call in message.tool_calls or ()]
                return AIMessage(text, tool_calls=calls)
            case "tool":
                if not message.tool_call_id:
                    raise RequestError(
                        "a tool's result names no call", "Send the `tool_call_id` of the call.", f"{where}.tool_call_id"
                    )
                return ToolMessage(text, tool_call_id=message.tool_call_id)

    async def _text(self, message: Message, where: str, user: str) -> str:
        if message.audio and not message.content:
            words = self._words.get((user, message.audio.id))
            if words is None:
                raise RequestError("that spoken reply is not known any more", "Send its text.", f"{where}.audio")
            return words
        if not isinstance(message.content, list):
            return message.content or ""
        parts = [await self._part(part, f"{where}.content", user) for part in message.content]
        return "\n".join(parts)

    async def _part(self, part: dict[str, Any], where: str, user: str) -> str:
        match part:
            case {"type": "text", "text": str(text)} | {"type": "refusal", "refusal": str(text)}:
                return text
            case {"type": "input_audio", "input_audio": {"data": str(data)}}:
                return await self._heard(data, where, user)
            case {"type": "image_url" | "image" | "input_image"}:
                raise RequestError("pictures cannot be seen here", "Send text or sound.", where)
        kind = part.get("type")
        raise RequestError(f"a part of the type {kind!r} cannot be read", "Send text or input_audio.", where)

    async def _heard(self, data: str, where: str, user: str) -> str:
        """What is said in a sound; its container counts, whatever format is named."""
        key = user, hashlib.sha256(data.encode()).hexdigest()
        if key in self._words:
            return self._words[key]
        ears, limits = self._assistant.ears, self._assistant.settings.limits
        if ears is None:
            raise EngineUnavailable("this assistant does not hear", "Start it with ears.")
        try:
            sound = base64.b64decode(data.rpartition(",")[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise RequestError("the sound is not base64", "Encode the file's bytes.", where) from error
        decoder = self._assistant.decoder
        chunk = await decoder.decode(sound, max_bytes=limits.audio_bytes, max_seconds=limits.audio_seconds)
        transcript = await ears.transcribe(chunk, Hearing())
        if not transcript.text.strip():
            raise NoSpeechHeard("no speech was heard in a message's sound", "Speak louder, closer or longer.", where)
        self.keep(*key, transcript.text)
        return transcript.text


def _call(call: ToolCall, where: str) -> Any:  # noqa: ANN401  # LangChain's ToolCall, which it checks itself
    try:
        arguments = json.loads(call.function.arguments or "{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise RequestError(
            f"the arguments of {call.function.name!r} are no JSON object", "Send them as the model gave them.", where
        )
    return {"name": call.function.name, "args": arguments, "id": call.id, "type": "tool_call"}
