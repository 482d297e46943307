"""Settings: defaults here, then `assistant.yaml`, then `TINGSHUO_*` variables; knows no engine."""

import difflib
import os
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    YamlConfigSettingsSource,
)
from yaml import YAMLError

from configs.errors import ConfigError
from configs.section import Count, Duration, Seconds, Section, Share
from configs.sentence_encoder import OnnxEmbedding
from configs.server import Server
from configs.tracing import Tracing

DEFAULTS = Path(__file__).with_name("assistant.yaml")
OUTSIDE = ("TINGSHUO_CONFIG", "TINGSHUO_DEBUG", "TINGSHUO_TEST_")
"""Variables that are no settings."""
HERE = "http://127.0.0.1:11434"
"""Where Ollama listens unless it is told otherwise."""


class OllamaServers(Section):
    """Where Ollama is."""

    host: str = HERE
    """Its address. Left as it is, Ollama's own variables OLLAMA_HOSTS (several, with commas) and OLLAMA_HOST count."""
    hosts: tuple[str, ...] = ()
    """Several servers in place of `host`, all with the same models: a conversation keeps to one of them while it runs;
    embeddings come from the first that can serve."""

    @property
    def servers(self) -> tuple[str, ...]:
        """The addresses, at least one: what is set here, else what Ollama's variables say, else this machine."""
        if self.hosts or self.host != HERE:
            return self.hosts or (self.host,)
        said = os.environ.get("OLLAMA_HOSTS") or os.environ.get("OLLAMA_HOST") or HERE
        return tuple(host.strip() for host in said.split(",") if host.strip()) or (HERE,)


class OllamaChat(OllamaServers):
    """The language model, served by Ollama."""

    num_ctx: int = Field(default=8192, ge=512)
    """Tokens of context; one constant everywhere, since another value makes Ollama load the model again."""
    num_predict: Count = 1024
    """The most tokens of one reply, where the persona's Modelfile sets no limit, and no more than half the context; so
    many are kept free in it. A persona that reasons has that half, since its thoughts count as well."""
    keep_alive: int | str = Field(default=-1, union_mode="left_to_right")
    """How long Ollama keeps the model loaded after a call; -1 is for ever."""
    timeout: Seconds = 120
    """The longest wait for the next piece of a reply."""


class ExtractiveChat(Section):
    """Quotes the passages that answer; no language model."""

    sentences: int = Field(default=2, ge=1, le=8)
    """The most sentences that one answer quotes."""


class FakeChat(Section):
    """Replies from a script, token by token."""

    replies: tuple[str, ...] = ("Sure, this is a scripted reply. It has two sentences.",)
    """Used in turn, again and again."""
    first_token: Seconds = 0.0
    token: Seconds = 0.0
    """The wait before each later token."""
    token_characters: int = Field(default=2, ge=1)
    """How long a token of Chinese is; of English it is a word."""


class Chat(Section):
    """Who thinks."""

    engine: str = "auto"
    ollama: OllamaChat = OllamaChat()
    extractive: ExtractiveChat = ExtractiveChat()
    fake: FakeChat = FakeChat()


class OllamaEmbedding(OllamaServers):
    """Embeddings from Ollama."""

    model: str = "qwen3-embedding:0.6b"
    query_prefix: str = "Instruct: Given a question, retrieve passages that answer it\nQuery: "
    """Put before a question, never before a document."""
    similarity: Share = 0.5
    """Cosine from which a passage counts as answering."""
    timeout: Seconds = 60


class HashedEmbedding(Section):
    """Hashed character n-grams: lexical, deterministic, no weights."""

    dimensions: int = Field(default=1024, ge=64, le=8192)


class Embedding(Section):
    """What turns text into vectors."""

    engine: str = "auto"
    ollama: OllamaEmbedding = OllamaEmbedding()
    onnx: OnnxEmbedding = OnnxEmbedding()
    hashed: HashedEmbedding = HashedEmbedding()


class FasterWhisper(Section):
    """Whisper on CTranslate2."""

    model: str = "large-v3-turbo"
    """A size (tiny … large-v3-turbo) that `tingshuo pull` has fetched, or a folder."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compute_type: str = "auto"
    """"auto" is float16 on CUDA and int8 on the CPU; else a CTranslate2 type."""
    beam_size: int = Field(default=5, ge=1, le=16)
    temperature: tuple[float, ...] = (0.0, 0.2)
    word_times: bool = False
    """When each word was said; slower, and where words cannot be placed, faster-whisper drops or repeats text."""
    batch_size: int = Field(default=8, ge=1, le=64)
    """Windows of half a minute that are decoded at once in a sound of more than a minute; 1 is one after the other."""
    zh_prompt: str = "以下是普通话的句子。"
    """What Chinese is taken to follow, so that it is written in simplified characters and with punctuation."""


class FakeSpeechToText(Section):
    """Transcripts from a script."""

    transcripts: tuple[str, ...] = ("Hello there.",)
    """Used in turn, again and again."""
    delay: Seconds = 0.0
    characters_a_second: float = Field(default=0.0, ge=0)
    """How quickly a transcript is spoken, by which drafts of it grow; 0 gives none."""


class SpeechToText(Section):
    """Who hears."""

    engine: str = "auto"
    faster_whisper: FasterWhisper = FasterWhisper()
    fake: FakeSpeechToText = FakeSpeechToText()


class ChatTts(Section):
    """A lively voice, for a machine with a GPU."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """On a CPU a second of speech takes about ten."""
    temperature: float = Field(default=0.3, gt=0, le=1)
    """The lower, the steadier the voice."""
    look_ahead: int = Field(default=12, ge=1, le=64)
    """Steps (21 ms each) that are made beyond the first chunk; 52 make its end exactly what it is in the whole."""


class FakeTextToSpeech(Section):
    """A tone, as long as the text."""

    first_chunk: Seconds = 0.0
    """The wait before the first chunk of each clause."""
    character_seconds: Seconds = 0.06
    """How long a character sounds."""


class TextToSpeech(Section):
    """Who speaks."""

    engine: str = "auto"
    chattts: ChatTts = ChatTts()
    fake: FakeTextToSpeech = FakeTextToSpeech()


class VoiceActivity(Section):
    """Who tells speech from silence."""

    engine: str = "auto"


class Listening(Section):
    """When speech begins and ends."""

    speech_threshold: Share = 0.5
    silence_threshold: Share = 0.35
    """Below this a frame counts as silence; between the two, nothing changes."""
    shortest_speech: Seconds = 0.1
    """Shorter bursts (a click, a key) are not speech."""
    end_silence: Seconds = 0.6
    """The pause that ends an utterance."""
    pre_roll: Seconds = 0.3
    """Kept from before the speech was noticed, so that its first sound is not cut."""
    longest_utterance: Seconds = 30
    partials: Seconds = 0.8
    """How often what was said so far is written while somebody speaks, where an engine can keep up; 0 is never."""


class Speaking(Section):
    """When the first clause is spoken."""

    patience: Seconds = 0.2
    """After this long without sound, a first clause may be as short as the text allows."""


class Grounding(Section):
    """How answers are tied to documents."""

    passages: int = Field(default=5, ge=1, le=20)
    """The most passages that are given to the model."""
    coverage: Share = 0.45
    """How far a passage must say what is asked to count as answering; `tingshuo eval --calibrate` finds the best."""
    neighbours: int = Field(default=1, ge=0, le=4)
    """How many passages before and after one that answers are read along with it, where it is short."""
    reranker: Literal["none"] = "none"
    """What looks at the passages once more; there is none yet."""


class Memory(Section):
    """What is remembered of a user."""

    items: int = Field(default=6, ge=1, le=20)
    """The most memories that are given to the model with a question."""
    tokens: int = Field(default=600, ge=50, le=4000)
    """The most that they may have together, as estimated."""
    coverage: Share = 0.5
    """The share of a question's weight that a memory must hold to be recalled."""
    similarity: Share = 0.6
    """Cosine from which a memory is recalled, with embeddings that know meaning."""
    half_life_days: Duration = 90
    """After so long a memory counts half as much against an equally good one of today."""
    profile_tokens: int = Field(default=150, ge=0, le=1000)
    """The most that the summary of lasting facts may have, which stands with every question."""
    idle: Seconds = 20
    """How long nobody must have asked anything before facts are drawn from what was said."""


class Index(Section):
    """Where vectors are kept."""

    url: str = ""
    """A Chroma server (`chroma run`), http://HOST:PORT; empty for a store in the data folder."""


class Limits(Section):
    """What may come in; no limit can be taken away."""

    audio_bytes: Count = 50_000_000
    audio_seconds: Duration = 900
    recording_seconds: Duration = 7200
    """Of a recording that is taken in as a document."""
    decode_seconds: Duration = 120
    """For decoding one recording that is no plain WAV."""
    decode_bytes: Count = 1_000_000_000
    """Memory for decoding it."""
    question_characters: Count = 8_000
    speech_characters: Count = 100_000
    """What `tingshuo say` speaks at once."""
    speech_request_characters: Count = 8_000
    """What one call of `/v1/audio/speech` speaks."""
    document_bytes: Count = 20_000_000
    uploads_bytes: Count = 10_000_000_000
    """Of all files that were sent to be documents and are kept, together."""
    documents: Count = 10_000
    """Files in one ingestion."""
    document_characters: Count = 5_000_000
    """Of the text of one document."""
    document_pages: Count = 5_000
    parse_seconds: Duration = 120
    """For reading one file that is no plain text."""
    parse_bytes: Count = 2_000_000_000
    """Memory for reading it."""
    archive_ratio: Count = 200
    """How many times larger an office document may be when it is unpacked."""
    turn: Duration = 300
    """The longest turn."""


class SettingsFile(YamlConfigSettingsSource):
    """The settings file; one that holds something else than keys and values raises YAMLError."""

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        try:
            values: object = super()._read_file(file_path)
        except ValueError as error:
            raise YAMLError(str(error)) from error
        if not isinstance(values, dict):
            raise YAMLError("it holds no keys and values")
        return values


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="TINGSHUO_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    data: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default_factory=lambda: platformdirs.user_data_path("tingshuo")
    )
    """The one folder that everything is kept in."""
    persona: str = "default"
    user: str = "owner"
    """Whose conversations and memories these are, when nobody says."""
    chat: Chat = Chat()
    embeddings: Embedding = Embedding()
    speech_to_text: SpeechToText = SpeechToText()
    text_to_speech: TextToSpeech = TextToSpeech()
    voice_activity: VoiceActivity = VoiceActivity()
    listening: Listening = Listening()
    speaking: Speaking = Speaking()
    grounding: Grounding = Grounding()
    memory: Memory = Memory()
    index: Index = Index()
    limits: Limits = Limits()
    server: Server = Server()
    tracing: Tracing = Tracing()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed in code wins over the environment, and that over the file."""
        return init_settings, env_settings, SettingsFile(settings_cls, yaml_file=_file())


def _file() -> Path:
    return Path(os.environ.get("TINGSHUO_CONFIG", DEFAULTS))


def load_settings(**overrides: object) -> Settings:
    """The settings in force. Raises ConfigError, which names the field and where to mend it."""
    if not _file().is_file():
        raise ConfigError(f"there is no settings file {str(_file())!r}", "Correct or unset TINGSHUO_CONFIG.")
    _check_variables()
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        first = error.errors()[0]
        where = [str(part) for part in first["loc"]]
        variable = "TINGSHUO_" + "__".join(where).upper()
        raise ConfigError(
            f"setting `{'.'.join(where)}`: {first['msg']} (it is {first['input']!r})",
            f"Mend it in {_file()} or in the variable {variable}.",
        ) from error
    except YAMLError as error:
        raise ConfigError(f"{_file()} is not valid YAML: {' '.join(str(error).split())}", "Mend that line.") from error
    except SettingsError as error:
        raise ConfigError(f"a TINGSHUO_* variable cannot be read: {error}", "Nested values may be JSON.") from error


def _check_variables() -> None:
    """A misspelt variable is an error, as a misspelt key of the file is."""
    known = {f"TINGSHUO_{name.upper()}" for name in Settings.model_fields}
    for name in os.environ:
        if name.startswith("TINGSHUO_") and name.split("__")[0] not in known and not name.startswith(OUTSIDE):
            near = difflib.get_close_matches(name, [*known, *OUTSIDE], 1)
            raise ConfigError(f"there is no setting {name}", f"Did you mean {near[0]}?" if near else f"Unset {name}.")
