"""Transcriptions, asked for by OpenAI's own client over a socket, from a Whisper that truly listens."""

import base64
import io
import json
import wave
from collections.abc import Iterator
from functools import partial
from typing import Any

import anyio
import httpx
import openai
import pytest

from api.openai import transcription_routes
from models.audio import AudioChunk, joined, silence, wav_bytes
from models.decoding import decode
from models.encoding import FORMATS, open_encoder
from tests.api.audio_server import EARS, WHISPER, served

SAID: dict[str, str] = json.loads((WHISPER / "sentences.json").read_text(encoding="utf-8"))
ENGLISH = (WHISPER / "utt03_en.wav").read_bytes()
CHINESE = (WHISPER / "utt18_zh.wav").read_bytes()
LIMITS = {"audio_bytes": 400_000, "audio_seconds": 8}


def recorded(file: bytes, rate: int) -> AudioChunk:
    return anyio.run(partial(decode, file, max_bytes=10**6, max_seconds=10, rate=rate))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    with served(tmp_path_factory.mktemp("heard"), speech_to_text=EARS, limits=LIMITS) as opened:
        yield opened


@pytest.fixture(scope="module")
def http(client: openai.OpenAI) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=str(client.base_url), timeout=30, trust_env=False) as opened:
        yield opened


@pytest.mark.parametrize("name", ["utt00_en", "utt03_en", "utt09_en", "utt12_zh", "utt18_zh", "utt19_zh"])
def test_what_is_said_is_written_down(client: openai.OpenAI, name: str) -> None:
    heard = client.audio.transcriptions.create(file=(WHISPER / f"{name}.wav").read_bytes(), model="whisper-1")
    assert heard.text == SAID[name]


@pytest.mark.parametrize(
    ("wanted", "pattern"),
    [
        ("text", "{said}\n"),
        ("srt", "1\n00:00:00,000 --> 00:00:01,160\n{said}\n\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.160\n{said}\n\n"),
    ],
)
def test_texts_come_as_texts(client: openai.OpenAI, wanted: Any, pattern: str) -> None:
    heard: object = client.audio.transcriptions.create(file=ENGLISH, model="whisper-1", response_format=wanted)
    assert heard == pattern.format(said=SAID["utt03_en"])


def test_verbose_json_tells_all(client: openai.OpenAI) -> None:
    ask: Any = partial(
        client.audio.transcriptions.create, file=ENGLISH, model="whisper-1", response_format="verbose_json"
    )
    heard = ask()
    assert (heard.language, heard.text, heard.words) == ("english", SAID["utt03_en"], None)
    with wave.open(io.BytesIO(ENGLISH)) as file:
        assert heard.duration == pytest.approx(file.getnframes() / file.getframerate(), abs=0.001)
    assert heard.segments
    (segment,) = heard.segments
    assert segment.model_fields_set >= {
        "id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob", "compression_ratio",
        "no_speech_prob",
    }  # fmt: skip
    assert segment.text == SAID["utt03_en"]
    assert segment.start == 0 < segment.end
    assert -1 < segment.avg_logprob < 0
    timed = ask(timestamp_granularities=["word"])
    assert timed.segments is None
    assert timed.words
    assert " ".join(word.word for word in timed.words) == SAID["utt03_en"]
    both = ask(timestamp_granularities=["word", "segment"])
    assert both.words
    assert both.segments


def test_a_stream_of_events_ends_with_the_whole(client: openai.OpenAI) -> None:
    with client.audio.transcriptions.create(file=ENGLISH, model="gpt-4o-transcribe", stream=True) as stream:
        events = list(stream)
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == SAID["utt03_en"]
    assert [event.text for event in events if event.type == "transcript.text.done"] == [SAID["utt03_en"]]


def test_a_long_recording_is_streamed_as_it_is_heard(client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcription_routes, "WINDOW", 2.0)
    parts = [recorded(file, 16_000) for file in (ENGLISH, CHINESE, ENGLISH)]
    pause = silence(1.5, 16_000)
    sound = joined([parts[0], pause, parts[1], pause, parts[2]], 16_000)
    with client.audio.transcriptions.create(file=wav_bytes(sound), model="whisper-1", stream=True) as stream:
        events = list(stream)
    said = [SAID["utt03_en"], SAID["utt18_zh"], SAID["utt03_en"]]
    assert [event.delta for event in events if event.type == "transcript.text.delta"] == said
    assert [event.text for event in events if event.type == "transcript.text.done"] == ["".join(said)]


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-mini-transcribe", "gpt-transcribe", "whisper-large-v3"])
def test_old_and_new_names_are_the_same_ears(client: openai.OpenAI, model: str) -> None:
    assert client.audio.transcriptions.create(file=ENGLISH, model=model).text == SAID["utt03_en"]


@pytest.mark.parametrize(
    ("given", "heard"),
    [("", "chinese"), ("auto", "chinese"), ("zh-CN", "chinese"), ("Chinese", "chinese"), ("en_US", "english")],
)
def test_a_language_is_taken_in_every_spelling(client: openai.OpenAI, given: str, heard: str) -> None:
    told = client.audio.transcriptions.create(
        file=CHINESE, model="whisper-1", language=given, response_format="verbose_json"
    )
    assert told.language == heard


@pytest.mark.parametrize("kind", ["mp3", "opus", "aac", "flac"])
def test_the_container_tells_not_the_name(client: openai.OpenAI, kind: str) -> None:
    encoder = open_encoder(FORMATS[kind])
    sound = recorded(ENGLISH, 24_000)
    sent = ("../x.exe\0.wav", encoder.push(sound) + encoder.finish(), "text/plain")
    heard = client.audio.transcriptions.create(file=sent, model="whisper-1")
    assert heard.text == SAID["utt03_en"]


@pytest.mark.parametrize("seconds", [0.05, 1, 5])
def test_silence_is_an_empty_text(client: openai.OpenAI, seconds: float) -> None:
    heard = client.audio.transcriptions.create(file=wav_bytes(silence(seconds, 16_000)), model="whisper-1")
    assert heard.text == ""


def test_json_holds_the_recording_too(http: httpx.Client) -> None:
    data = base64.b64encode(CHINESE).decode()
    for written in (data, f"data:audio/wav;base64,{data}"):
        sent = {"model": "whisper-1", "language": "", "input_audio": {"data": written, "format": "wav"}, "more": [1]}
        answer = http.post("audio/transcriptions", json=sent)
        assert answer.json()["text"] == SAID["utt18_zh"]


def test_a_translation_is_asked_for_like_a_transcription(client: openai.OpenAI) -> None:
    with pytest.warns(DeprecationWarning, match="deprecated"):
        told = client.audio.translations.create(file=ENGLISH, model="whisper-1", response_format="verbose_json")
    assert told.language == "english"
    assert told.text == SAID["utt03_en"]


FORM = {"model": "whisper-1"}
BOMB = open_encoder(FORMATS["flac"])
LONG = BOMB.push(silence(600, 24_000)) + BOMB.finish()
"""Ten minutes of silence, in less than a quarter of a megabyte."""


@pytest.mark.parametrize(
    ("fields", "file", "status", "param"),
    [
        ({}, ENGLISH, 400, "model"),
        ({"model": "  "}, ENGLISH, 400, "model"),
        ({"model": "gpt-5"}, ENGLISH, 404, "model"),
        ({"model": "gpt-4o-transcribe-diarize"}, ENGLISH, 404, "model"),
        (FORM, None, 400, "file"),
        (FORM, b"", 400, "file"),
        (FORM, b"no sound at all", 400, "file"),
        (FORM, b"#EXTM3U\nfile:///etc/passwd\n", 400, "file"),
        (FORM, wav_bytes(silence(0, 16_000)), 400, "file"),
        (FORM, wav_bytes(silence(9, 16_000)), 413, "file"),
        (FORM, bytes(400_001), 413, "file"),
        (FORM, LONG, 413, "file"),
        (FORM | {"language": "tlh"}, ENGLISH, 400, "language"),
        (FORM | {"language": "fr"}, ENGLISH, 400, "language"),
        (FORM | {"response_format": "diarized_json"}, ENGLISH, 400, "response_format"),
        (FORM | {"temperature": "1.5"}, ENGLISH, 400, "temperature"),
        (FORM | {"temperature": "warm"}, ENGLISH, 400, "temperature"),
        (FORM | {"timestamp_granularities[]": "letter"}, ENGLISH, 400, "timestamp_granularities.0"),
        (FORM | {"stream": "perhaps"}, ENGLISH, 400, "stream"),
        (FORM | {"prompt": "x" * 64_001}, ENGLISH, 413, "prompt"),
    ],
)
def test_what_cannot_be_heard_is_refused_in_openais_form(
    http: httpx.Client, fields: dict[str, str], file: bytes | None, status: int, param: str
) -> None:
    files: Any = {"file": ("a.wav", file)} if file is not None else {"other": (None, "x")}
    answer = http.post("audio/transcriptions", data=fields, files=files)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param), answer.text
    assert answer.json()["error"].keys() >= {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (ENGLISH, "audio/wav", 415),
        (b"file=x", "application/x-www-form-urlencoded", 415),
        (b"{", "application/json", 400),
        (b'{"model": "whisper-1"}', "application/json", 400),
        (b'{"model": "whisper-1", "input_audio": {"data": "!"}}', "application/json", 400),
        (b"", "multipart/form-data", 400),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 400),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x", 400),
    ],
)
def test_other_bodies_are_refused(http: httpx.Client, content: bytes, kind: str, status: int) -> None:
    answer = http.post("audio/transcriptions", content=content, headers={"content-type": kind})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]


def test_errors_are_the_classes_of_openais_client(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.audio.transcriptions.create(file=ENGLISH, model="gpt-5")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as damaged:
        client.audio.transcriptions.create(file=b"noise", model="whisper-1")
    assert damaged.value.param == "file"


def test_a_form_without_length_comes_in_pieces(http: httpx.Client) -> None:
    head = b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    head += b'--b\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\n'
    body = head + ENGLISH + b"\r\n--b--\r\n"

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    kind = {"content-type": "multipart/form-data; boundary=b"}
    answer = http.post("audio/transcriptions", content=pieces(), headers=kind)
    assert answer.json()["text"] == SAID["utt03_en"]


def test_models_are_listed_for_both_kinds_of_client(http: httpx.Client) -> None:
    told = http.get("audio/models").json()
    assert told["models"] == told["data"]
    names = {model["id"]: model["name"] for model in told["models"]}
    assert names["whisper-1"] == "whisper-1 (faster-whisper)"
    assert names["tts-1"] == "tts-1 (espeak-ng)"
    assert all(isinstance(model["created"], int) for model in told["data"])
