"""A stand-in for the sounddevice package: the microphone hears what it is told, the loudspeaker keeps what it plays."""

import threading
import time
from collections.abc import Callable
from typing import Any

from models.audio import AudioChunk


class PortAudioError(Exception):
    """What PortAudio raises."""


class Devices:
    """Plays in real time, or as fast as `speed` says."""

    PortAudioError = PortAudioError

    def __init__(self, speed: float = 1.0, *, missing: str = "") -> None:
        self.speed = speed
        self.missing = missing
        self.microphone: Stream
        self.loudspeaker: Stream
        self.played = bytearray()

    def RawInputStream(self, **options: Any) -> "Stream":  # PortAudio's name
        if self.missing == "microphone":
            raise PortAudioError("Error querying device -1")
        self.microphone = Stream(options, lambda: None, 0)
        return self.microphone

    def RawOutputStream(self, **options: Any) -> "Stream":
        if self.missing == "loudspeaker":
            raise PortAudioError("Error querying device -1")
        frames = options["samplerate"] // 50
        self.loudspeaker = Stream(options, lambda: self._pull(options["callback"], frames), 0.02 / self.speed)
        return self.loudspeaker

    def hear(self, sound: AudioChunk) -> None:
        """Gives the sound to the microphone, frame by frame, from another thread's point of view."""
        options = self.microphone.options
        size = 2 * options["blocksize"]
        for start in range(0, len(sound.pcm) - size + 1, size):
            options["callback"](memoryview(sound.pcm[start : start + size]), options["blocksize"], None, None)

    def _pull(self, callback: Callable[..., None], frames: int) -> None:
        out = bytearray(2 * frames)
        callback(memoryview(out), frames, None, None)
        self.played += out


class Stream:
    """A stream with a thread of its own, as PortAudio has."""

    def __init__(self, options: dict[str, Any], step: Callable[[], None], seconds: float) -> None:
        self.options = options
        self.closed = False
        self._step = step
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def abort(self) -> None:
        self._stopped.set()
        self._thread.join()

    def close(self) -> None:
        self.closed = True

    def _run(self) -> None:
        due = time.monotonic()
        while self._seconds and not self._stopped.is_set():
            self._step()
            due += self._seconds
            self._stopped.wait(max(0.0, due - time.monotonic()))
