"""The assistant: the one place where settings become engines, stores and conversations."""

import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

from anyio import CancelScope, create_task_group

from agent.attendance import Attendance
from agent.checkpoints import PruningSaver, open_checkpoints
from agent.client_history import ClientHistory
from agent.client_request import ClientRequest, parted
from agent.completion import BackgroundTask, Completion, Unkept
from agent.conversation import Conversation
from agent.events import TurnEnded, TurnEvent
from agent.inquiry import Clock, utc
from agent.keeper import Keeper
from agent.remembrance import Remembrance
from agent.rights import Rights
from agent.session import Session
from agent.store import Store, open_store
from agent.summaries import Summaries
from agent.turn import Company, Emit, Question, Turn
from configs.errors import AssistantError, EngineError, RequestError, RequestTooLarge
from configs.persona import Persona, Personas, persona_folders
from configs.privacy import stay_local
from configs.settings import Settings
from models.audio import SPEECH_RATE, AudioChunk, silence
from models.decoding import Decoder
from models.readiness import (
    chat_candidates,
    speech_to_text_candidates,
    text_to_speech_candidates,
    voice_activity_candidates,
)
from models.registry import Served, open_chat, open_speech_to_text, open_text_to_speech, open_voice_activity
from models.selection import Candidate, Choice, Slot, choose
from models.speech_to_text import Hearing, SpeechToText
from models.text_to_speech import TextToSpeech, Voice
from models.voice_activity import VoiceActivityDetector
from tools.conversation_ears import ConversationEars
from tools.hotwords import hotwords, names_in
from tools.recordings import Recorded
from tools.speech_input import Listener
from tools.speech_output import Speaker
from tools.spoken_language import SpokenLanguage

log = logging.getLogger(__name__)

TITLES: Final = 20
"""Documents whose titles the ears are told: there must be room for the names that the user has told."""


async def ignore(event: TurnEvent) -> None:
    """For callers who want only a turn's end."""


class Assistant:
    """Everything that answers. Made by `open_assistant`."""

    def __init__(self, settings: Settings, store: Store, checkpoints: PruningSaver, closing: AsyncExitStack) -> None:
        """`closing` lets go of the decoder and the chat models in the end."""
        self.settings = settings
        self.store = store
        self.clock: Clock = utc
        self.watchers: list[Callable[[TurnEnded], None]] = []
        """Each is told how a turn has ended."""
        self.decoder = Decoder(settings.limits)
        closing.push_async_callback(self.decoder.aclose)
        self.ears: SpeechToText | None = None
        self.mouth: TextToSpeech | None = None
        self._detector: VoiceActivityDetector | None = None
        self._checkpoints = checkpoints
        self._closing = closing
        self._cold: dict[Slot, EngineError] = {}
        self._choices = {store.embeddings.slot: store.embeddings}
        self.personas = Personas(persona_folders(settings.data))
        self._conversations: dict[tuple[str, tuple[str, ...]], tuple[Persona, Conversation, Choice]] = {}
        self._attendance = Attendance()
        self._summaries = Summaries(store.summaries)
        self.rights = Rights(store.memories, store.turns, checkpoints, self._attendance, store.folder / "answers")
        self.keeper = Keeper(
            self._attendance,
            store.memories,
            checkpoints,
            self._summaries,
            lambda: [conversation for _, conversation, _ in self._conversations.values()],
            answers=self.rights.answers,
            idle=settings.memory.idle,
        )

    async def open_ears(self, stack: AsyncExitStack) -> None:
        """Opens what hears; the stack closes it."""
        settings = self.settings
        activity = self._choose("voice_activity", voice_activity_candidates(settings))
        hearing = self._choose("speech_to_text", speech_to_text_candidates(settings))
        self._detector = await open_voice_activity(activity, settings)
        self.ears = await open_speech_to_text(hearing, settings, self._detector)
        stack.push_async_callback(self.ears.aclose)

    async def open_mouth(self, stack: AsyncExitStack) -> None:
        """Opens what speaks; the stack closes it."""
        speaking = self._choose("text_to_speech", text_to_speech_candidates(self.settings))
        self.mouth = await open_text_to_speech(speaking, self.settings)
        stack.push_async_callback(self.mouth.aclose)

    async def warm(self, persona: str | None = None) -> None:
        """Loads the persona's model with the beginning of its prompts, so that its first turn is as quick as the next.

        The ears hear a second of silence meanwhile, which tells whether they can keep up with a speaker, and what
        decodes recordings is started.
        Where one of them fails, `choices` tells it, and turns are tried all the same. Raises as `company` does.
        """
        chosen = self.personas.get(persona or self.settings.persona)
        conversation, _ = await self._conversation(chosen, await self._knowledge_of(chosen, ()))
        self._cold.clear()
        async with create_task_group() as tasks:
            tasks.start_soon(self._warm_ears)
            try:
                await conversation.warm()
            except EngineError as error:
                log.warning("%s (%s)", error.message, error.hint)
                self._cold["chat"] = error

    async def work(self) -> None:
        """Works through the ingestions that wait, for as long as it runs; recordings are heard by the same ears."""
        recorded = self.recorded()
        await self.store.jobs.run(recorded.transcribe if recorded else None)

    def recorded(self) -> Recorded | None:
        """Its ears for long recordings; None where it has none."""
        if self.ears is None or self._detector is None:
            return None
        return Recorded(self.ears, self._detector, self.decoder, self.settings.listening, self.settings.limits)

    async def _warm_ears(self) -> None:
        if self.ears is None:
            return
        await self.decoder.warm()
        try:
            await self.ears.transcribe(silence(1.0, SPEECH_RATE), Hearing(draft=True))
        except EngineError as error:
            log.warning("%s (%s)", error.message, error.hint)
            self._cold["speech_to_text"] = error

    def served(self) -> Served | None:
        """The chat model of the persona that was talked to last, where a server runs it."""
        chats = [conversation.chat for _, conversation, _ in self._conversations.values()]
        return next((chat for chat in reversed(chats) if isinstance(chat, Served)), None)

    @property
    def choices(self) -> list[Choice]:
        """Which engine serves each slot, and why."""
        return [_told(choice, self._cold.get(choice.slot)) for choice in self._choices.values()]

    def failures(self) -> dict[Slot, EngineError]:
        """What failed when it was warmed, of the engines that the settings name."""
        return {slot: error for slot, error in self._cold.items() if getattr(self.settings, slot).engine != "auto"}

    async def ask(
        self,
        *,
        text: str = "",
        sound: AudioChunk | None = None,
        persona: str | None = None,
        knowledge: Sequence[str] = (),
        user: str | None = None,
        conversation: str | None = None,
        speak: bool = True,
        emit: Emit = ignore,
    ) -> TurnEnded:
        """One turn, kept whole. Turns of one conversation wait for each other."""
        if sound is None:
            self._check(text)
        company = await self.company(persona, knowledge, speak=speak, hears=sound is not None, user=user)
        conversation = conversation or uuid4().hex
        question = Question(conversation, user or self.settings.user, text.strip(), sound)
        return await Turn(question, company, emit).run()

    async def completion(
        self, request: ClientRequest, emit: Emit = ignore, *, speaker: Callable[[str], Speaker] | None = None
    ) -> Turn:
        """The turn that answers a client which keeps its history itself; to be run once, spoken where a speaker is.

        Turns of one conversation wait for each other. Raises RequestError, and as `company` does.
        """
        company = await self.company(request.persona, (), speak=speaker is not None, hears=False)
        company = replace(company, speaker=speaker)
        conversation, sent = company.responder, parted(request.messages)
        assert isinstance(conversation, Conversation)
        if request.background:
            company = replace(company, responder=BackgroundTask(conversation, request), history=Unkept())
            company = replace(company, engines=tuple(one for one in company.engines if one.slot == "chat"))
            return Turn(Question(uuid4().hex, request.user, sent.question.text), company, emit)
        turns = self.store.turns
        responder = Completion(conversation, request, sent, turns)
        history = ClientHistory(turns, self.store.memories, sent) if request.keep else Unkept()
        company = replace(company, responder=responder, history=history)
        return Turn(Question(request.conversation, request.user, sent.words), company, emit)

    async def session(
        self,
        *,
        persona: str | None = None,
        knowledge: Sequence[str] = (),
        user: str | None = None,
        conversation: str | None = None,
    ) -> Session:
        """A spoken conversation that can be interrupted."""
        assert self._detector, "a session listens"
        return Session(
            Listener(self._detector, self.settings.listening),
            await self.company(persona, knowledge, speak=True, user=user),
            conversation=conversation or uuid4().hex,
            user=user or self.settings.user,
            partials=self.settings.listening.partials,
        )

    async def company(
        self,
        persona: str | None,
        knowledge: Sequence[str],
        *,
        speak: bool,
        hears: bool = True,
        user: str | None = None,
    ) -> Company:
        """Whom a turn of a user works with. Raises PersonaNotFound, KnowledgeBaseNotFound, or what an engine lacks."""
        chosen = self.personas.get(persona or self.settings.persona)
        bases = await self._knowledge_of(chosen, knowledge)
        conversation, chat = await self._conversation(chosen, bases)
        hears, speak = hears and self.ears is not None, speak and self.mouth is not None
        return Company(
            ears=await self._ears(self.ears, chosen, bases, user) if self.ears and hears else None,
            responder=conversation,
            speaker=partial(self._speaker, chosen) if speak else None,
            history=self.store.turns,
            attend=self._attendance.turn,
            now=self.clock,
            watch=self._watched,
            engines=(chat, *self._beside(hears=hears, speaks=speak)),
            patience=self.settings.speaking.patience,
            time_limit=self.settings.limits.turn,
        )

    def _watched(self, ended: TurnEnded) -> None:
        for watcher in self.watchers:
            watcher(ended)

    def _beside(self, *, hears: bool, speaks: bool) -> Iterator[Choice]:
        """Who serves a turn beside the chat model."""
        wanted: dict[Slot, bool] = {
            "embeddings": True, "voice_activity": hears, "speech_to_text": hears, "text_to_speech": speaks,
        }  # fmt: skip
        return (choice for slot, choice in self._choices.items() if wanted.get(slot))

    def _choose(self, slot: Slot, candidates: Sequence[Candidate]) -> Choice:
        choice = choose(slot, getattr(self.settings, slot).engine, candidates)
        self._choices[slot] = choice
        return choice

    def _check(self, text: str) -> None:
        limit = self.settings.limits.question_characters
        if not text.strip():
            raise RequestError("the question is empty", "Ask something, or give an audio file.")
        if len(text) > limit:
            raise RequestTooLarge(
                f"the question has {len(text)} characters; the limit is {limit}",
                "Shorten it, or ingest it as a document.",
            )

    async def _ears(
        self, engine: SpeechToText, persona: Persona, knowledge: Sequence[str], user: str | None
    ) -> ConversationEars:
        """Ears that know the persona's language, its title, the titles of its documents, and the user's own names."""
        documents = [document for name in knowledge for document in await self.store.knowledge.documents(name)]
        titles = [persona.title.en, persona.title.zh, *(document.title for document in documents[:TITLES])]
        remembrance = self._remembrance(persona)
        told = await remembrance.told(user or self.settings.user) if remembrance else ()
        names = hotwords([*titles, *names_in(memory.text for memory in told)])
        language = persona.language if persona.language != "auto" else None
        return ConversationEars(engine, SpokenLanguage(language), names)

    def _speaker(self, persona: Persona, language: str) -> Speaker:
        assert self.mouth
        return Speaker(self.mouth, Voice(**persona.voice.model_dump()), language)

    async def _knowledge_of(self, persona: Persona, asked_for: Sequence[str]) -> tuple[str, ...]:
        """The knowledge bases to search: those asked for, else the persona's; "default" may be empty still."""
        names = tuple(asked_for or persona.knowledge)
        existing = await self.store.knowledge.knowledge_bases()
        wanted = tuple(sorted({name for name in names if name != "default" or name in existing or asked_for}))
        if not set(wanted) <= set(existing):
            await self.store.knowledge.require(wanted)
        return wanted

    async def _conversation(self, persona: Persona, knowledge: tuple[str, ...]) -> tuple[Conversation, Choice]:
        """The persona's conversation, and who answers in it."""
        kept = self._conversations.get((persona.name, knowledge))
        if kept and kept[0] == persona:
            self._choices["chat"] = kept[2]
            return kept[1:]
        models = (persona.model, persona.brain.from_)
        choice = self._choose("chat", await chat_candidates(self.settings, models))
        chat = open_chat(choice, self.settings, persona.brain.parameters, reasoning=persona.reasoning)
        if isinstance(chat, Served):
            self._closing.push_async_callback(_closed, chat)
            await chat.look()
        made = Conversation(
            persona,
            chat,
            embedded=choice.embedded,
            retrieve=partial(self.store.knowledge.search, knowledge=knowledge),
            checkpoints=self._checkpoints,
            remembrance=self._remembrance(persona),
            summaries=self._summaries if isinstance(chat, Served) else None,
        )
        self._conversations[persona.name, knowledge] = (persona, made, choice)
        return made, choice

    def _remembrance(self, persona: Persona) -> Remembrance | None:
        if not persona.memory:
            return None
        return Remembrance(self.store.memories, self.store.turns, persona.name if persona.memory == "own" else "")


@asynccontextmanager
async def open_assistant(
    settings: Settings, *, folder: Path | None = None, hears: bool = True, speaks: bool = True
) -> AsyncGenerator[Assistant, None]:
    """Opens the store and the engines that are needed, and closes them in the end.

    `folder` keeps documents and turns apart from the data folder; weights and personas stay where they are.
    """
    stay_local()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings, folder))
        checkpoints = await stack.enter_async_context(open_checkpoints(store.folder / "checkpoints.sqlite"))
        assistant = Assistant(settings, store, checkpoints, stack)
        if hears:
            await assistant.open_ears(stack)
        if speaks:
            await assistant.open_mouth(stack)
        failure: AssistantError | None = None
        async with create_task_group() as tasks:
            tasks.start_soon(assistant.keeper.run)
            try:
                yield assistant
            except AssistantError as error:
                # Raised outside of the group, which would wrap it.
                failure = error
            finally:
                tasks.cancel_scope.cancel()
                await assistant.keeper.finish()
        if failure:
            raise failure


def _told(choice: Choice, cold: EngineError | None) -> Choice:
    """A choice that tells why its model is not loaded yet."""
    if cold is None:
        return choice
    return replace(choice, better=f"{choice.engine} with its model loaded ({cold.message})", remedy=cold.hint)


async def _closed(chat: Served) -> None:
    """Lets go of a chat model, also while everything is being cancelled."""
    with CancelScope(shield=True):
        await chat.aclose()
