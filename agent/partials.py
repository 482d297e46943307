"""What a user has said so far: drafts of the open utterance, one at a time, never in the way of the real transcript."""

import logging
from collections.abc import Callable

from anyio import CancelScope
from anyio.abc import TaskGroup

from agent.events import PartialTranscript
from agent.turn import Emit
from configs.errors import EngineError
from models.audio import AudioChunk
from models.speech_to_text import Hearing, SpeechToText
from tools.partial_transcripts import LocalAgreement, Partial

log = logging.getLogger(__name__)


class Partials:
    """Writes along while one user speaks; `begin` and `end` bracket each utterance."""

    def __init__(self, ears: SpeechToText | None, emit: Emit, tasks: TaskGroup, ahead: Callable[[str], object]) -> None:
        """`ahead` is told what has been said, whenever that has changed."""
        self._ears = ears
        self._emit = emit
        self._look_ahead = ahead
        self._tasks = tasks
        self._agreement = LocalAgreement()
        self._shown = Partial("", "")
        self._draft: CancelScope | None = None
        """The one that is being made."""

    def begin(self) -> None:
        """Somebody begins to speak."""
        self.end()
        self._agreement, self._shown = LocalAgreement(), Partial("", "")

    def hear(self, sound: AudioChunk) -> None:
        """Begins a draft of the utterance up to now; none while another is made, or the ears have something to do."""
        if self._draft is None and self._ears is not None and self._ears.drafts:
            self._draft = CancelScope()
            self._tasks.start_soon(self._write, self._ears, sound, self._draft)

    def end(self) -> None:
        """The utterance is whole: nothing more is shown of the drafts, and the ears are freed."""
        if self._draft is not None:
            self._draft.cancel()
            self._draft = None

    async def _write(self, ears: SpeechToText, sound: AudioChunk, draft: CancelScope) -> None:
        with draft:
            try:
                transcript = await ears.transcribe(sound, Hearing(draft=True))
            except EngineError as error:
                # The transcript itself will fail likewise, and the turn tells it.
                log.warning("no more partial transcripts: %s (%s)", error.message, error.hint)
                self._ears = None
            else:
                await self._show(transcript.text)
        if self._draft is draft:
            self._draft = None

    async def _show(self, text: str) -> None:
        partial = self._agreement.push(text)
        if text and partial != self._shown:
            self._shown = partial
            await self._emit(PartialTranscript(partial.text, partial.stable))
            self._look_ahead(partial.text)
