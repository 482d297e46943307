"""ChatTTS at work: codes from its language model, decoded piece by piece without a seam; blocking, for one thread."""

import logging
import math
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch

from configs.errors import EngineFailed
from models.audio import Floats
from models.engines.chattts_controls import is_faithful, placed, refine_prompt, tidied
from models.engines.chattts_text import STEP, plausible_steps, speed_token
from models.text_to_speech import Voice

Pieces: TypeAlias = Generator[Floats, None, None]

logger = logging.getLogger(__name__)

ATTEMPTS = 3
SEED = 20_241
_TICK = 6
"""Code steps after which the model hands over what it has."""
_CHUNK = 12
"""Code steps that are spoken at once, at least: a quarter of a second."""
_SEAM = 256
"""Samples over which two decodings of the same sound are blended where they meet."""
_MARGIN = 16
"""Tokens that a rewritten text may have beyond twice those of the text; longer ones are cut, and so not spoken."""


class ChatTtsModel:
    """A loaded Chat, used below its `infer`.

    That deletes quiet samples, decodes the whole again for each chunk, writes into its caller's parameters, and tries
    again without end.
    """

    def __init__(self, chat: Any, temperature: float, look_ahead: int) -> None:  # noqa: ANN401
        self._chat = chat
        self._temperature = temperature
        self._look_ahead = look_ahead
        self.reach = reach(chat)

    @property
    def speakers(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the speakers it knows, each of shape (dimensions,)."""
        speaker = self._chat.speaker
        return speaker.mean.float().cpu().numpy(), speaker.std.float().cpu().numpy()

    def warm_up(self, speaker: Floats) -> None:
        """Begins to speak each language, so that the first clause finds all compiled. Raises EngineFailed."""
        for text in ("你好。", "hello."):
            with failures(), closing(self._tried(self._read(text), speaker, speed_token(1), 0, 4 * _CHUNK)) as sound:
                next(sound, None)

    def speak(self, text: str, speaker: Floats, voice: Voice) -> Pieces:
        """Starts to say a sayable text; what it yields joins into one sound, 24 kHz. Raises EngineFailed as it goes.

        `speaker` is the vector of the voice's name.
        """
        # Here, not in the generator: an interruption that comes before its first step must not be forgotten.
        self._chat.context.set(False)
        return self._spoken(text, speaker, voice)

    def interrupt(self) -> None:
        """Ends what is being said after the current code step; the one method for other threads."""
        self._chat.interrupt()

    def free(self) -> None:
        """Gives its memory back."""
        del self._chat
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _spoken(self, text: str, speaker: Floats, voice: Voice) -> Pieces:
        """With one seed after another, until a sound begins: what was handed out cannot be taken back."""
        with failures():
            acted = self._acted(self._read(text), voice)
            if self._chat.context.get():
                return
            shortest, longest = plausible_steps(acted, voice.speed)
            for attempt in range(ATTEMPTS):
                torch.manual_seed(SEED + attempt)
                begun = False
                with closing(self._tried(acted, speaker, speed_token(voice.speed), shortest, longest)) as sound:
                    for piece in sound:
                        begun = True
                        yield piece
                if begun or self._chat.context.get():
                    return
                logger.warning("ChatTTS ended %r too soon with seed %d", text, SEED + attempt)
        raise EngineFailed(
            f"ChatTTS ended {text!r} too soon {ATTEMPTS} times", "Rephrase it, or use another voice or engine."
        )

    def _tried(self, text: str, speaker: Floats, prompt: str, shortest: int, longest: int) -> Pieces:
        """One attempt: nothing if it ends too soon and nothing was spoken yet; cut where it goes on for too long."""
        spoken, seam, hidden = 0, np.zeros(0, np.float32), torch.zeros(0)
        params = self._params(speaker, prompt, longest)
        with closing(self._chat._infer_code([text], True, self._chat.device, True, params)) as results:
            for result in results:
                if self._chat.context.get():
                    return
                hidden = result.hiddens[0]
                until = speakable(len(hidden), spoken, self._look_ahead, self.reach)
                if until > spoken:
                    sound = self._decoded(hidden, spoken)
                    yield blended(seam, sound[: STEP * (until - spoken)])
                    spoken, seam = until, sound[STEP * (until - spoken) :][:_SEAM]
        if len(hidden) >= longest:
            logger.warning("ChatTTS was cut off at %d steps of %r", longest, text)
            yield blended(seam, np.zeros(seam.size, np.float32))
        elif spoken or len(hidden) >= max(shortest, 1):
            yield blended(seam, self._decoded(hidden, spoken))

    def _decoded(self, hidden: torch.Tensor, start: int) -> Floats:
        """The sound from a code step on, decoded with as much of what comes before as it depends on."""
        first = max(0, start - self.reach)
        sound: Floats = self._chat._decode_to_wavs([hidden[first:]], True)[0]
        return sound[STEP * (start - first) :]

    def _read(self, text: str) -> str:
        """The text with characters that ChatTTS mispronounces replaced by homophones, from the table of the package."""
        read: str = self._chat.normalizer(text, do_text_normalization=False)
        return read

    def _acted(self, text: str, voice: Voice) -> str:
        """The text with control tokens: ChatTTS's own where the voice asks for them and no word changes, else ours."""
        prompt = refine_prompt(voice)
        if not prompt:
            return placed(text, voice)
        refined = tidied(self._refined(text, prompt))
        if is_faithful(refined, text, voice.oral or 0) or self._chat.context.get():
            return refined
        logger.warning("ChatTTS rewrote %r with other words, as %r; the text is spoken as written", text, refined)
        return placed(text, voice)

    def _refined(self, text: str, prompt: str) -> str:
        """The text as ChatTTS rewrites it, always the same; "" when it ends at once, partial when interrupted."""
        tokenizer = self._chat.tokenizer
        length = tokenizer.encode([text], 1)[0].shape[1]
        params = self._chat.RefineTextParams(
            prompt=prompt, max_new_token=2 * length + _MARGIN, ensure_non_empty=False, show_tqdm=False
        )
        torch.manual_seed(SEED)
        try:
            ids = self._chat._refine_text([text], self._chat.device, params).ids[0]
        except StopIteration:
            # What the package lets out where its first token is the end.
            return ""
        refined: str = tokenizer.decode([ids[ids < tokenizer.break_0_ids]])[0]
        return refined

    def _params(self, speaker: Floats, prompt: str, longest: int) -> Any:  # noqa: ANN401
        """Made anew for each call, since ChatTTS writes into them."""
        return self._chat.InferCodeParams(
            prompt=prompt,
            spk_emb=torch.from_numpy(speaker),
            temperature=self._temperature,
            max_new_token=longest,
            stream_batch=_TICK,
            # It would try again without end, by calling itself.
            ensure_non_empty=False,
            show_tqdm=False,
        )


def speakable(made: int, spoken: int, look_ahead: int, reach: int) -> int:
    """Up to which code step sound may be handed out while more is being made; `spoken` if it is not worth it yet.

    Sound changes while the codes after it, up to `reach`, are unknown. The first chunk waits for few of them, to come
    soon; from each chunk on there is more time, and after some 80 steps the sound is exactly that of a whole decoding.
    """
    until = made - min(reach, look_ahead + spoken // 2)
    return until if until - spoken >= _CHUNK else spoken


def blended(seam: Floats, sound: Floats) -> Floats:
    """A sound that begins as the seam, its earlier decoding, and within it becomes itself."""
    rise = np.linspace(0, 1, seam.size, dtype=np.float32)
    begin = seam + (sound[: seam.size] - seam) * rise
    return np.concatenate([begin, sound[seam.size :]])


def reach(chat: Any) -> int:  # noqa: ANN401
    """How many code steps before and after a sample it depends on: the padding of every convolution, and the window."""
    parts = (chat.decoder, chat.vocos.backbone)
    convolutions = [each for part in parts for each in part.modules() if isinstance(each, torch.nn.Conv1d)]
    transform = chat.vocos.head.istft
    samples = sum(each.padding[0] for each in convolutions) * transform.hop_length + transform.n_fft // 2
    return math.ceil(int(samples) / STEP)


@contextmanager
def failures() -> Iterator[None]:
    """Turns what PyTorch raises into EngineFailed."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise EngineFailed(
            "the GPU has no memory left for ChatTTS",
            "Free some: a smaller language or Whisper model, or another program; about 3 GB are needed.",
        ) from error
    except (RuntimeError, ValueError) as error:
        raise EngineFailed(f"ChatTTS failed: {error}", "Try again; `tingshuo doctor` checks its weights.") from error
