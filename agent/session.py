"""One caller: frames in, events out; speech over a reply cancels its turn, and that is all that barge-in is."""

from collections.abc import AsyncIterable, Callable
from contextlib import aclosing

from anyio import create_task_group, current_time
from anyio.abc import TaskGroup

from agent.inquiry import Inquiry
from agent.partials import Partials
from agent.turn import Company, Emit, Question, Turn
from models.audio import AudioChunk
from tools.playback import Playback
from tools.speech_input import Listener, SpeechGoesOn, SpeechStarted, Utterance
from tools.spoken_form import language_of


class Session:
    """Listens for as long as there are frames, and answers one utterance at a time."""

    def __init__(
        self,
        listener: Listener,
        company: Company,
        *,
        conversation: str,
        user: str,
        playback: Callable[[], Playback] = Playback,
        partials: float = 0.0,
    ) -> None:
        """`partials`: how often what was said so far is told while the user speaks, in seconds; 0 is never."""
        self._listener = listener
        self._company = company
        self._conversation = conversation
        self._user = user
        self._new_playback = playback
        self._partials_every = partials
        self._turn: Turn | None = None

    async def run(self, frames: AsyncIterable[AudioChunk], emit: Emit) -> None:
        """Runs until the frames end and the last turn is over; cancel it to end sooner."""
        listening = self._listener.listen(frames, partials=self._partials_every)
        async with create_task_group() as turns, aclosing(listening) as heard:
            partials = Partials(self._company.ears, emit, turns, lambda said: turns.start_soon(self._look_ahead, said))
            async for event in heard:
                match event:
                    case SpeechStarted():
                        partials.begin()
                        await emit(event)
                        await self.interrupt()
                    case SpeechGoesOn(sound):
                        partials.hear(sound)
                    case Utterance():
                        partials.end()
                        await self._begin(event, emit, turns)

    async def interrupt(self) -> None:
        """Ends the turn that is going on, if any, and waits until it is in the history."""
        if self._turn:
            self._turn.cancel()
            await self._turn.wait_done()

    async def _look_ahead(self, said: str) -> None:
        responder = self._company.responder
        language = language_of(said, responder.language)
        await responder.look_ahead(Inquiry(said, self._conversation, language, self._user))

    async def _begin(self, utterance: Utterance, emit: Emit, turns: TaskGroup) -> None:
        await self.interrupt()
        pause = utterance.noticed_at - utterance.end
        question = Question(self._conversation, self._user, sound=utterance.sound, speech_end=current_time() - pause)
        self._turn = Turn(question, self._company, emit, self._new_playback())
        turns.start_soon(self._turn.run)
