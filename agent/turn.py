"""One turn: a question in, a reply shown and spoken; cancelling it is how it is interrupted."""

import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

from anyio import CancelScope, Event, create_memory_object_stream, create_task_group, fail_after, sleep_until
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from agent.attendance import Attendance
from agent.events import (
    Failed,
    MemoriesRecalled,
    Outcome,
    PassagesFound,
    ReplyEvent,
    SpeechReady,
    TextDelta,
    TranscriptReady,
    TurnEnded,
    TurnEvent,
    TurnStarted,
)
from agent.inquiry import Clock, Inquiry, utc
from agent.reply_record import ReplyRecord
from agent.stages import Stages
from configs.errors import AssistantError, EngineUnavailable
from memory.turns import StoredCall, StoredTurn
from models.audio import AudioChunk
from models.selection import Choice
from models.speech_to_text import Hearing, SpeechToText, Transcript
from tools.clauses import Clause, ClauseSplitter
from tools.playback import Playback
from tools.speech_output import Speaker, SpeechChunk
from tools.spoken_form import language_of

Emit = Callable[[TurnEvent], Awaitable[None]]

FORGOTTEN = "[forgotten]"
"""Stands for the words of a turn that had something forgotten, which may repeat it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a turn answers: a text, or a sound that holds one."""

    conversation: str
    user: str
    text: str = ""
    sound: AudioChunk | None = None
    language: str | None = None
    """The language to hear in, or None to find out."""
    speech_end: float | None = None
    """When the user stopped speaking, by the event loop's clock."""


class Responder(Protocol):
    """Who answers."""

    @property
    def persona(self) -> str:
        """Its name."""
        ...

    @property
    def language(self) -> str:
        """The language of a reply to a text that has none of its own."""
        ...

    @property
    def memory(self) -> str | None:
        """Who remembers what it is told: None nobody, "" all personas that share, else its own name."""
        ...

    def respond(self, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        """The reply, piece by piece; close it with `aclosing`."""
        ...

    async def look_ahead(self, inquiry: Inquiry) -> None:
        """Looks up what the user has said so far, so that it is there when the whole is known."""
        ...

    async def settle(self, conversation: str, *, heard: str, outcome: Outcome) -> None:
        """Makes the conversation's state end where the user stopped hearing."""
        ...


class History(Protocol):
    """Where finished turns are kept."""

    async def add(self, turn: StoredTurn) -> None:
        """Keeps one turn."""
        ...


@dataclass(frozen=True, slots=True)
class Company:
    """Whom a turn works with."""

    ears: SpeechToText | None
    responder: Responder
    speaker: Callable[[str], Speaker] | None
    """A speaker for a language, or None where the reply is only shown."""
    history: History
    attend: Callable[[str], AbstractAsyncContextManager[None]] = field(default_factory=lambda: Attendance().turn)
    """Lets in one turn of a conversation at a time."""
    now: Clock = utc
    watch: Callable[[TurnEnded], None] = lambda ended: None
    """Is told how each turn has ended; it may count, and keeps no word."""
    engines: tuple[Choice, ...] = ()
    """Who serves the turn, as `watch` is told."""
    patience: float = 0.2
    """Seconds after which the first clause may be as short as the text allows."""
    time_limit: float = 300
    """Seconds."""


@dataclass
class Turn:
    """One turn, run once."""

    question: Question
    company: Company
    emit: Emit
    playback: Playback | None = None
    """What was heard, where somebody listens as it is spoken; None where the reply is kept whole."""
    id: str = field(default_factory=lambda: uuid4().hex)
    stages: Stages = field(default_factory=Stages)
    _scope: CancelScope = field(default_factory=CancelScope)
    _done: Event = field(default_factory=Event)
    _text: str = ""
    _spoken: list[str] = field(default_factory=list)
    _sounded: float = 0.0
    _language: str = ""
    _record: ReplyRecord = field(default_factory=ReplyRecord)
    _transcript: Transcript | None = None
    _error: AssistantError | None = None
    _outcome: Outcome = "interrupted"

    def cancel(self) -> None:
        """Ends the turn now; what was heard stays heard."""
        self._scope.cancel()

    async def wait_done(self) -> None:
        """Waits until the turn has ended and is in the history."""
        await self._done.wait()

    async def run(self) -> TurnEnded:
        """Runs the turn to its end, whatever the end is; only being cancelled from outside raises."""
        async with AsyncExitStack() as attended:
            try:
                with self._scope:
                    await attended.enter_async_context(self.company.attend(self.question.conversation))
                    await self.emit(TurnStarted(self.id))
                    await self._guarded()
            finally:
                with CancelScope(shield=True):
                    ended = self._ended()
                    self.company.watch(ended)
                    try:
                        await self._keep(ended)
                        await self.emit(ended)
                    finally:
                        self._done.set()
        return ended

    async def _guarded(self) -> None:
        try:
            with fail_after(self.company.time_limit):
                self._outcome = await self._answered()
        except* AssistantError as group:
            self._fail(_first(group))
        except* TimeoutError:
            limit = self.company.time_limit
            self._fail(EngineUnavailable(f"the turn took longer than {limit:g} s", "Raise `limits.turn`."))

    def _fail(self, error: AssistantError) -> None:
        # The first one is the cause.
        self._outcome, self._error = "failed", self._error or error

    async def _answered(self) -> Outcome:
        if not await self._understood():
            return "unheard"
        # Unbounded, so that the text is shown at the model's pace and not at the voice's.
        send, receive = create_memory_object_stream[Clause](math.inf)
        # Open until both have ended, so that the thinking side never meets a closed stream when the voice fails.
        async with receive, create_task_group() as tasks:
            tasks.start_soon(self._think, send)
            tasks.start_soon(self._speak, receive)
        if self.playback:
            await self.playback.wait_played()
            self.stages.mark("played")
        return "failed" if self._error else "completed"

    async def _understood(self) -> bool:
        if self.question.sound is None:
            self._text = self.question.text
        else:
            await self._hear(self.question.sound)
        self.stages.mark("transcript")
        self._language = self._language or language_of(self._text, self.company.responder.language)
        return bool(self._text.strip())

    async def _hear(self, sound: AudioChunk) -> None:
        assert self.company.ears, "a spoken question needs ears"
        self.stages.mark("speech_end", self.question.speech_end)
        self.stages.mark("endpoint")
        self._transcript = await self.company.ears.transcribe(sound, Hearing(self.question.language))
        self._text, self._language = self._transcript.text, self._transcript.language
        await self.emit(TranscriptReady(self.id, self._transcript))

    async def _think(self, clauses: MemoryObjectSendStream[Clause]) -> None:
        splitter = ClauseSplitter()
        question = self.question
        inquiry = Inquiry(self._text, question.conversation, self._language, question.user, self.id, self.company.now())
        reply = self.company.responder.respond(inquiry)
        async with clauses:
            async with aclosing(reply), create_task_group() as hurry:
                hurry.start_soon(self._hurry, splitter, clauses)
                async for event in reply:
                    self._follow(event, splitter, clauses)
                    await self.emit(event)
                hurry.cancel_scope.cancel()
            self.stages.mark("reply_end")
            self._offer(splitter.flush(), clauses)

    def _follow(self, event: ReplyEvent, splitter: ClauseSplitter, clauses: MemoryObjectSendStream[Clause]) -> None:
        self._record.note(event)
        match event:
            case TextDelta(text):
                self.stages.mark("first_token")
                self._offer(splitter.push(text), clauses)
            case PassagesFound():
                self.stages.mark("retrieval")
            case MemoriesRecalled():
                self.stages.mark("recall")
            case Failed(error):
                self._fail(error)

    async def _hurry(self, splitter: ClauseSplitter, clauses: MemoryObjectSendStream[Clause]) -> None:
        began = self.stages.at("transcript")
        assert began is not None, "a reply follows a transcript"
        await sleep_until(began + self.company.patience)
        self._offer(splitter.relax(), clauses)

    def _offer(self, found: list[Clause], clauses: MemoryObjectSendStream[Clause]) -> None:
        if self.company.speaker is None:
            return
        for clause in found:
            self.stages.mark("first_clause")
            clauses.send_nowait(clause)

    async def _speak(self, clauses: MemoryObjectReceiveStream[Clause]) -> None:
        if self.company.speaker is None:
            return
        speaker = self.company.speaker(self._language)
        async for clause in clauses:
            async with aclosing(speaker.speak(clause)) as speech:
                async for chunk in speech:
                    if chunk.first:
                        self._spoken.append(chunk.spoken)
                    await self._hand_out(chunk)
        self.stages.mark("speech_done")

    async def _hand_out(self, chunk: SpeechChunk) -> None:
        if chunk.audio.pcm:
            self.stages.mark("first_audio")
        self._sounded += chunk.audio.seconds
        if self.playback:
            self.playback.add(chunk)
        await self.emit(SpeechReady(self.id, chunk))

    def _heard(self) -> str:
        if self.playback is None or self._outcome == "completed":
            return self._record.text
        return self._record.text[: self.playback.heard()]

    def _ended(self) -> TurnEnded:
        record = self._record
        return TurnEnded(
            turn=self.id,
            conversation=self.question.conversation,
            outcome=self._outcome,
            question=self._text,
            language=self._language,
            reply=record.text,
            heard=self._heard(),
            spoken=_joined(self._spoken),
            refused=record.refused,
            citations=record.citations(),
            timings_ms=self.stages.milliseconds(),
            error=self._error,
            transcript=self._transcript,
            tools=tuple(record.tools),
            usage=record.usage(),
            memories=tuple(record.memories),
            at_limit=record.at_limit,
            sounded=self._sounded,
            unsupported=record.unsupported(self._text),
            began=self.stages.began,
            live=self.playback is not None,
            engines=self.company.engines,
        )

    async def _keep(self, ended: TurnEnded) -> None:
        if ended.outcome == "unheard" or not ended.question:
            return
        await self.company.responder.settle(ended.conversation, heard=ended.heard, outcome=ended.outcome)
        await self.company.history.add(self._stored(ended))

    def _stored(self, ended: TurnEnded) -> StoredTurn:
        assert ended.outcome != "unheard", "what was not heard is not kept"
        erased = self._record.erased
        return StoredTurn(
            id=ended.turn,
            conversation=ended.conversation,
            user=self.question.user,
            persona=self.company.responder.persona,
            question=FORGOTTEN if erased else ended.question,
            reply=FORGOTTEN if erased else ended.reply,
            heard=FORGOTTEN if erased else ended.heard,
            outcome=ended.outcome,
            language=ended.language,
            citations=() if erased else ended.citations,
            timings_ms=ended.timings_ms,
            created_at=self.company.now(),
            tools=tuple(StoredCall(call.name, {} if erased else call.arguments) for call in ended.tools),
            rests_on=self._record.rests_on,
            memory=None if erased else self.company.responder.memory,
            recalled=tuple(memory.id for memory in ended.memories),
        )


def _joined(spoken: list[str]) -> str:
    """The clauses as one text: a space between them, but none after Chinese punctuation."""
    text = ""
    for clause in filter(None, map(str.strip, spoken)):
        text += clause if not text or text[-1] > "\u2fff" else f" {clause}"
    return text


def _first(group: BaseExceptionGroup[AssistantError]) -> AssistantError:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, AssistantError)
    return found
