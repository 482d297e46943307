"""From a choice to an engine: each is imported only when it is chosen; a new engine is one `case` here."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import BaseModel

from configs.errors import EngineUnknown, ModelNotFound, TaskUnsupported
from configs.settings import Settings
from models.generation import Generation
from models.selection import Choice
from models.speech_gate import GatedSpeechToText
from models.speech_to_text import SpeechToText
from models.text_to_speech import TextToSpeech
from models.voice_activity import VoiceActivityDetector
from models.weights import chattts_folder, whisper_folder

Shape = TypeVar("Shape", bound=BaseModel)


@runtime_checkable
class Served(Protocol):
    """What a chat model that a server runs has beside LangChain's own."""

    @property
    def context(self) -> int:
        """Tokens that a prompt and its reply may have together."""
        ...

    @property
    def reply(self) -> int:
        """Tokens that a reply may have; 0 or less where nothing limits it."""
        ...

    async def look(self) -> None:
        """Finds out what `context` is; loads nothing. Raises EngineError."""
        ...

    async def preload(self, messages: Sequence[BaseMessage], tools: Sequence[BaseTool] = ()) -> int:
        """Loads the model with the beginning of every prompt; the tokens of that. Raises EngineError."""
        ...

    async def aclose(self) -> None:
        """Closes the connections; no call may follow."""
        ...


def open_chat(
    choice: Choice, settings: Settings, sampling: Mapping[str, Any], *, reasoning: bool | str = False
) -> BaseChatModel:
    """Who thinks; `sampling` and `reasoning` come from the persona and matter to Ollama only."""
    match choice.engine:
        case "ollama":
            from models.engines import ollama_hosts

            return ollama_hosts.open_chat(settings.chat.ollama, choice.model, sampling, reasoning=reasoning)
        case "extractive":
            from models.engines.extractive import ExtractiveChat

            return ExtractiveChat(settings=settings.chat.extractive)
        case "fake":
            from models.engines.fake import FakeChat

            return FakeChat(script=settings.chat.fake)
        case _:
            raise _unknown(choice)


async def structured(chat: Served, schema: type[Shape], messages: Sequence[BaseMessage]) -> Shape:
    """One reply in the shape of `schema`, which the server holds the model to. Raises EngineError."""
    from models.engines.ollama import OllamaChat
    from models.engines.ollama_structured import structured as shaped

    assert isinstance(chat, OllamaChat), "only Ollama serves"
    return await shaped(chat, schema, messages)


def generating(
    chat: BaseChatModel, wanted: Generation, tools: Sequence[BaseTool | dict[str, Any]] = ()
) -> Runnable[LanguageModelInput, AIMessage]:
    """The chat model for one reply, with its tools. Raises TaskUnsupported for a shape that no server can hold it to.

    Engines without a language model give the same reply whatever else is wanted.
    """
    bound: Runnable[LanguageModelInput, AIMessage] = chat.bind_tools(tools) if tools else chat
    if isinstance(chat, Served):
        from models.engines.ollama import OllamaChat
        from models.engines.ollama_generation import bindings

        assert isinstance(chat, OllamaChat), "only Ollama serves"
        return bound.bind(**bindings(chat, wanted))
    if wanted.shape is not None:
        raise TaskUnsupported(
            "no language model runs here that could be held to JSON", "Start Ollama: tingshuo doctor says how."
        )
    return bound


def open_embeddings(choice: Choice, settings: Settings) -> Embeddings:
    """What turns text into vectors."""
    match choice.engine:
        case "ollama":
            from models.engines import ollama_hosts

            return ollama_hosts.open_embeddings(settings.embeddings.ollama)
        case "onnx":
            from models.engines import onnx_embeddings

            return onnx_embeddings.open_embeddings(settings.embeddings.onnx, settings.data)
        case "hashed":
            from models.engines import hashed

            return hashed.open_embeddings(settings.embeddings.hashed)
        case _:
            raise _unknown(choice)


async def open_speech_to_text(choice: Choice, settings: Settings, detector: VoiceActivityDetector) -> SpeechToText:
    """Who hears; every real engine stands behind the gate that lets only speech through."""
    match choice.engine:
        case "faster-whisper":
            from models.engines.faster_whisper import FasterWhisper

            wanted = settings.speech_to_text.faster_whisper
            folder = whisper_folder(wanted.model, settings.data)
            if folder is None:
                raise ModelNotFound(f"the weights of {wanted.model!r} are gone", "tingshuo doctor")
            return GatedSpeechToText(await FasterWhisper.open(wanted, folder), detector)
        case "pocketsphinx":
            from models.engines.pocketsphinx import PocketSphinx

            return GatedSpeechToText(await PocketSphinx.open(), detector)
        case "fake":
            from models.engines.fake import FakeSpeechToText

            return FakeSpeechToText(settings.speech_to_text.fake)
        case _:
            raise _unknown(choice)


async def open_text_to_speech(choice: Choice, settings: Settings) -> TextToSpeech:
    """Who speaks."""
    match choice.engine:
        case "chattts":
            from models.engines.chattts import ChatTts

            folder, speakers = chattts_folder(settings.data), settings.data / "speakers"
            return await ChatTts.open(settings.text_to_speech.chattts, folder, speakers)
        case "espeak-ng":
            from models.engines.espeak_ng import EspeakNg

            return await EspeakNg.open()
        case "fake":
            from models.engines.fake import FakeTextToSpeech

            return FakeTextToSpeech(settings.text_to_speech.fake)
        case _:
            raise _unknown(choice)


async def open_voice_activity(choice: Choice, settings: Settings) -> VoiceActivityDetector:
    """What tells speech from silence."""
    match choice.engine:
        case "silero":
            from models.engines.silero import Silero

            return await Silero.open()
        case "fake":
            from models.engines.fake import FakeVoiceActivity

            return FakeVoiceActivity()
        case _:
            raise _unknown(choice)


def _unknown(choice: Choice) -> EngineUnknown:
    return EngineUnknown(f"there is no {choice.slot} engine {choice.engine!r}", "tingshuo doctor")
