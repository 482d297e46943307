"""Speech, asked for by OpenAI's own client over a socket; and when its bytes leave, on scripted times."""

import base64
import io
import json
import wave
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any, cast

import av
import httpx
import numpy as np
import openai
import pytest
from anyio import Event, create_task_group, current_time, sleep, sleep_forever
from fastapi import FastAPI

from agent.assistant import Assistant
from api.openai.audio_routes import AudioRoutes
from api.service import PATIENCE, Service
from configs import settings
from configs.errors import EngineFailed
from configs.settings import load_settings
from models.audio import AudioChunk
from models.engines.fake import FakeTextToSpeech
from models.text_to_speech import Voice
from tests.api.audio_server import EARS, WHISPER, served
from tests.conftest import Backend

SENTENCE = "The weather is fine today, and the meeting begins at ten."
TYPES = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav",
    "pcm": "audio/pcm;rate=24000",
}  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    data = tmp_path_factory.mktemp("spoken")
    with served(data, speech_to_text=EARS, limits={"speech_request_characters": 200}) as opened:
        yield opened


@pytest.fixture(scope="module")
def http(client: openai.OpenAI) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=str(client.base_url), timeout=30, trust_env=False) as opened:
        yield opened


def sounded(data: bytes, kind: str) -> tuple[np.ndarray[Any, np.dtype[np.float64]], int]:
    """The samples of a file between -1 and 1, and their rate, as FFmpeg understands them."""
    options: dict[str, Any] = {"format": "s16le", "options": {"ar": "24000"}} if kind == "pcm" else {}
    with av.open(io.BytesIO(data), **options) as file:
        stream = file.streams.audio[0]
        to_floats = av.AudioResampler("flt", "mono", stream.rate)
        frames = [frame for read in file.decode(stream) for frame in to_floats.resample(read)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float64), stream.rate


def speech(http: httpx.Client, **asked: Any) -> httpx.Response:
    return http.post("audio/speech", json={"model": "tts-1", "input": SENTENCE, "voice": "alloy", **asked})


@pytest.mark.parametrize("kind", TYPES)
def test_every_format_is_what_it_says_and_sounds_alike(client: openai.OpenAI, http: httpx.Client, kind: Any) -> None:
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input=SENTENCE, response_format=kind)
    assert answer.response.headers["content-type"] == TYPES[kind]
    samples, rate = sounded(answer.content, kind)
    assert rate == (48_000 if kind == "opus" else 24_000)
    bare = np.frombuffer(speech(http, response_format="pcm").content, "<i2") / 32768
    # A codec may add a frame or two at either end.
    assert len(samples) / rate == pytest.approx(len(bare) / 24_000, abs=0.15)
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(np.sqrt(np.mean(bare**2)), rel=0.1)
    assert 2 < len(samples) / rate < 6


def test_without_a_wish_it_is_mp3_in_bare_frames_that_can_be_put_together(http: httpx.Client) -> None:
    first, second = speech(http, response_format=None).content, speech(http, input="Good bye.").content
    # A frame of MPEG-2 layer III begins with eleven set bits, then 10 and 01; no ID3 tag, and no Xing frame.
    assert first[0] == 0xFF
    assert first[1] & 0xFE == 0xF2
    assert b"Xing" not in first[:400]
    assert b"Info" not in first[:400]
    both, apart = sounded(first + second, "mp3"), [sounded(first, "mp3"), sounded(second, "mp3")]
    assert len(both[0]) == sum(len(samples) for samples, _ in apart)


def test_a_wav_of_unknown_length_can_be_read(http: httpx.Client) -> None:
    data = speech(http, response_format="wav").content
    assert (data[:4], data[4:8], data[36:44]) == (b"RIFF", b"\xff" * 4, b"data\xff\xff\xff\xff")
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)


@pytest.mark.parametrize("name", ["utt00_en", "utt07_en", "utt13_zh"])
@pytest.mark.parametrize("kind", ["mp3", "opus", "wav"])
def test_what_is_spoken_is_heard_back(client: openai.OpenAI, name: str, kind: Any) -> None:
    said = json.loads((WHISPER / "sentences.json").read_text(encoding="utf-8"))[name]
    spoken = client.audio.speech.create(model="tts-1-hd", voice="default", input=said, response_format=kind)
    assert client.audio.transcriptions.create(file=spoken.content, model="whisper-1").text == said


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.5, 2, 4])
def test_speed_is_kept_over_the_whole_range(http: httpx.Client, speed: float) -> None:
    plain = len(speech(http, response_format="pcm").content)
    assert plain / len(speech(http, response_format="pcm", speed=speed).content) == pytest.approx(speed, rel=0.2)


def test_a_faster_voice_is_no_higher(http: httpx.Client) -> None:
    """The lowest harmonic stays where it is; resampling alone would move it two octaves."""
    pitches = [
        pitch(sounded(speech(http, input="Aaaaaaaah. Aaaaaaaah.", speed=speed, response_format="wav").content, "wav"))
        for speed in (1, 4)
    ]
    assert pitches[1] == pytest.approx(pitches[0], rel=0.25)


def pitch(sound: tuple[np.ndarray[Any, np.dtype[np.float64]], int]) -> float:
    """The fundamental frequency, by autocorrelation."""
    samples, rate = sound
    spectrum = np.abs(np.fft.rfft(samples, 2 * len(samples))) ** 2
    similar = np.fft.irfft(spectrum)[: len(samples)]
    shortest, longest = rate // 400, rate // 60
    return rate / (shortest + float(np.argmax(similar[shortest:longest])))


def test_events_carry_the_same_bytes(http: httpx.Client) -> None:
    answer = speech(http, response_format="pcm", stream_format="sse")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    assert events[-1]["type"] == "speech.audio.done"
    assert events[-1]["usage"].keys() == {"input_tokens", "output_tokens", "total_tokens"}
    bare = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert len(bare) == pytest.approx(len(speech(http, response_format="pcm").content), rel=0.05)


@pytest.mark.parametrize(
    ("voice", "warned"),
    [
        ("nova", False),
        ("Nova", False),
        ({"id": "nova"}, False),
        ("", False),
        (None, False),
        ("default", False),
        ("zf_xiaobei", True),
        ('小北"\r\nx: y', True),
        ({"id": "voice_123"}, True),
    ],
)
def test_an_unknown_voice_is_told_of_and_spoken_for(http: httpx.Client, voice: Any, warned: bool) -> None:
    answer = speech(http, voice=voice)
    assert answer.status_code == 200
    assert ("there is no voice" in answer.headers.get("warning", "")) is warned
    assert "x" not in answer.headers


def test_openais_voices_differ(http: httpx.Client) -> None:
    names = ("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin")
    told = http.get("audio/voices").json()
    assert told["voices"] == told["data"]
    assert {voice["id"] for voice in told["voices"]} >= {*names, "cedar", "default"}
    sounds = {speech(http, voice=name, input="Hello.", response_format="pcm").content for name in names}
    assert len(sounds) == len(names)


def test_markup_is_not_spoken(http: httpx.Client) -> None:
    plain = speech(http, input="This is very important.", response_format="pcm").content
    marked = speech(
        http, input="<think>So.</think>This is **very** important. 😀", response_format="pcm", instructions="None"
    ).content
    assert len(marked) == pytest.approx(len(plain), rel=0.05)


def test_chinese_is_spoken_as_chinese(http: httpx.Client) -> None:
    samples, rate = sounded(speech(http, input="今天天气怎么样？").content, "mp3")
    assert 0.8 < len(samples) / rate < 4


def test_nothing_to_say_is_silence_with_a_warning(http: httpx.Client) -> None:
    answer = speech(http, input="😀")
    assert "nothing to say" in answer.headers["warning"]
    samples, rate = sounded(answer.content, "mp3")
    assert 0 < len(samples) / rate < 0.5
    assert np.abs(samples).max() < 0.01


@pytest.mark.parametrize(
    ("asked", "status", "param"),
    [
        ({"model": None}, 400, "model"),
        ({"model": "gpt-5"}, 404, "model"),
        ({"input": None}, 400, "input"),
        ({"input": ""}, 400, "input"),
        ({"input": " \n"}, 400, "input"),
        ({"input": ["a"]}, 400, "input"),
        ({"input": "x" * 201}, 413, "input"),
        ({"speed": 0.2}, 400, "speed"),
        ({"speed": 4.1}, 400, "speed"),
        ({"speed": "fast"}, 400, "speed"),
        ({"response_format": "midi"}, 400, "response_format"),
        ({"stream_format": "udp"}, 400, "stream_format"),
        ({"voice": "x" * 300}, 400, "voice"),
        ({"voice": 7}, 400, "voice"),
    ],
)
def test_what_cannot_be_spoken_is_refused_in_openais_form(
    http: httpx.Client, asked: dict[str, Any], status: int, param: str
) -> None:
    answer = speech(http, **asked)
    error = answer.json()["error"]
    assert (answer.status_code, str(error["param"]).partition(".")[0]) == (status, param), answer.text


# On scripted times: each clause takes a second before its first sound.


@pytest.fixture
def anyio_backend(trio_virtual_with_threads: Backend) -> Backend:
    return trio_virtual_with_threads


class Mouth(FakeTextToSpeech):
    """Notes when it began and ended; may fail at a clause."""

    def __init__(self, failing: int = 0) -> None:
        super().__init__(settings.FakeTextToSpeech(first_chunk=1.0))
        self.begun: list[float] = []
        self.ended = 0
        self._failing = failing

    async def synthesize(self, text: str, *, language: str, voice: Voice) -> AsyncGenerator[AudioChunk, None]:
        self.begun.append(current_time())
        try:
            if len(self.begun) == self._failing:
                raise EngineFailed("the voice broke", "open it again")
            async with aclosing(super().synthesize(text, language=language, voice=voice)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            self.ended += 1


class Call:
    """One call of the speech route, and when each piece of its answer came."""

    def __init__(self, mouth: Mouth, kind: str = "application/json", **asked: Any) -> None:
        self._kind = kind.encode()
        self.service, self.gone, self.came = Service(), Event(), Event()
        assistant = cast(Assistant, SimpleNamespace(settings=load_settings(), mouth=mouth, ears=None))
        self._app = FastAPI()
        self._app.include_router(AudioRoutes(assistant, self.service).router)
        text = "First a sentence. Then another sentence. In the end a third sentence."
        self._body = [json.dumps({"model": "tts-1", "input": text, **asked}).encode()]
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.taken = 10**6
        """How many messages it takes before it stops reading."""

    async def run(self) -> None:
        headers = [(b"content-type", self._kind), (b"host", b"localhost")]
        await self._app(
            {"type": "http", "method": "POST", "path": "/v1/audio/speech", "query_string": b"", "headers": headers},
            self._receive,
            self._send,
        )

    @property
    def bodies(self) -> list[tuple[float, bytes]]:
        """When something came, and what."""
        return [(at, message["body"]) for at, message in self.sent if message.get("body")]

    async def _receive(self) -> dict[str, Any]:
        if self._body:
            return {"type": "http.request", "body": self._body.pop(), "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if len(self.sent) == self.taken:
            await sleep_forever()
        self.sent.append((current_time(), message))
        if message.get("body"):
            self.came.set()


@pytest.mark.anyio
@pytest.mark.parametrize("asked", [{"response_format": kind} for kind in TYPES] + [{"stream_format": "sse"}])
async def test_the_first_bytes_leave_before_the_rest_is_spoken(asked: dict[str, str]) -> None:
    call, began = Call(Mouth(), **asked), current_time()
    await call.run()
    times = [at - began for at, _ in call.bodies]
    assert times[0] == pytest.approx(1, abs=0.5)
    assert times[-1] == pytest.approx(3, abs=0.5)
    assert call.sent[-1][1]["more_body"] is False


@pytest.mark.anyio
@pytest.mark.parametrize("end", ["caller", "server"])
async def test_speaking_ends_when_nobody_listens(end: str) -> None:
    mouth = Mouth()
    call = Call(mouth)
    async with create_task_group() as tasks:
        tasks.start_soon(call.run)
        await call.came.wait()
        await sleep(0.5)  # into the second clause
        if end == "caller":
            call.gone.set()
        else:
            call.service.stop()
    assert len(mouth.begun) == mouth.ended == 2
    assert current_time() - mouth.begun[0] < 2


@pytest.mark.anyio
async def test_a_failure_before_the_first_sound_has_its_status() -> None:
    call = Call(Mouth(failing=1))
    await call.run()
    assert call.sent[0][1]["status"] == 500
    assert json.loads(call.bodies[0][1])["error"]["message"] == "the voice broke. open it again"


@pytest.mark.anyio
async def test_a_failure_later_breaks_the_sound_off() -> None:
    call = Call(Mouth(failing=2))
    await call.run()
    assert call.sent[0][1]["status"] == 200
    assert all(message.get("more_body", True) for _, message in call.sent)


@pytest.mark.anyio
async def test_a_failure_later_is_an_event_among_events() -> None:
    call = Call(Mouth(failing=2), stream_format="sse")
    await call.run()
    last = json.loads(call.bodies[-1][1].removeprefix(b"data: "))
    assert last["error"]["message"] == "the voice broke. open it again"
    assert call.sent[-1][1]["more_body"] is False


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_page_elsewhere_cannot_have_it_speak(kind: str) -> None:
    call = Call(mouth := Mouth(), kind=kind)
    await call.run()
    assert call.sent[0][1]["status"] == 415
    assert not mouth.begun


@pytest.mark.anyio
async def test_a_caller_that_stops_reading_is_left_and_the_voice_is_free() -> None:
    call = Call(mouth := Mouth())
    call.taken, began = 3, current_time()
    await call.run()
    assert mouth.ended == len(mouth.begun) == 1
    assert current_time() - began == pytest.approx(1 + PATIENCE, abs=1)
