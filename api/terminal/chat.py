"""`tingshuo chat`: a typed conversation; replies appear as they are written, and Ctrl-C cuts one short."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from uuid import uuid4

from anyio import CancelScope
from anyio.from_thread import BlockingPortal, start_blocking_portal

from agent.assistant import Assistant
from agent.events import SpeechReady, TextDelta, TurnEnded, TurnEvent
from api.answer import Asked, answered
from api.errors import lines
from api.question import clean
from api.safe_text import safe_lines
from api.terminal.ask import Wishes
from api.terminal.process import interruptible
from api.terminal.screen import NO_DOCUMENTS, note, print_evidence
from api.terminal.sound_devices import Loudspeaker, load_devices, open_loudspeaker
from api.tracing.opening import open_traced
from configs.errors import AssistantError
from configs.settings import Settings

PROMPT = "> "
LEAVE = ("/exit", "/quit")


def chat(settings: Settings, wishes: Wishes) -> None:
    """Talks in words until the input ends, or Ctrl-C at the prompt.

    The event loop has a thread of its own, so that reading a line and Ctrl-C work as they do in any program.
    """
    wishes = replace(wishes, conversation=wishes.conversation or uuid4().hex)
    devices = load_devices() if wishes.speak else None
    with ExitStack() as stack:
        stack.enter_context(interruptible())
        portal = stack.enter_context(start_blocking_portal())
        opened = open_traced(settings, hears=False, speaks=wishes.speak)
        assistant = stack.enter_context(portal.wrap_async_context_manager(opened))
        portal.call(partial(assistant.company, wishes.persona, wishes.knowledge, speak=wishes.speak))
        portal.start_task_soon(assistant.warm, wishes.persona)
        loudspeaker = None
        if assistant.mouth:
            playing = open_loudspeaker(devices, assistant.mouth.format.rate)
            loudspeaker = stack.enter_context(portal.wrap_async_context_manager(playing))
        _introduce(assistant)
        if not portal.call(assistant.store.knowledge.knowledge_bases):
            note(NO_DOCUMENTS)
        for line in questions():
            _Exchange(assistant, wishes, loudspeaker).run(portal, line)


def questions() -> Iterator[str]:
    """The lines that are typed or piped in, until one of them is a farewell."""
    read = _typed if sys.stdin.isatty() else _piped
    while (line := read()) is not None and line.strip() not in LEAVE:
        if line.strip():
            yield clean(line)


class _Exchange:
    """One question and its reply, which Ctrl-C ends."""

    def __init__(self, assistant: Assistant, wishes: Wishes, loudspeaker: Loudspeaker | None) -> None:
        self._assistant = assistant
        self._wishes = wishes
        self._loudspeaker = loudspeaker

    def run(self, portal: BlockingPortal, question: str) -> None:
        """Waits for the reply; the first Ctrl-C cuts it and waits until it is kept as far as it was shown."""
        reply = portal.start_task_soon(self._ask, question)
        try:
            reply.result()
        except KeyboardInterrupt:
            portal.call(self._cut)
            reply.result()

    async def _ask(self, question: str) -> None:
        wishes = self._wishes
        asked = Asked(
            text=question,
            persona=wishes.persona,
            knowledge=wishes.knowledge,
            user=wishes.user,
            conversation=wishes.conversation,
            speak=wishes.speak,
        )
        with CancelScope() as self._scope:
            try:
                await answered(self._assistant, asked, self._show)
            except AssistantError as error:
                note(lines(error))
            if self._loudspeaker:
                await self._loudspeaker.wait_played()

    async def _show(self, event: TurnEvent) -> None:
        match event:
            case TextDelta():
                sys.stdout.write(safe_lines(event.text))
            case SpeechReady() if self._loudspeaker:
                self._loudspeaker.add(event.chunk.audio)
            case TurnEnded():
                sys.stdout.write(" …\n" if event.outcome == "interrupted" else "\n")
                print_evidence(event)
        sys.stdout.flush()

    def _cut(self) -> None:
        self._scope.cancel()
        if self._loudspeaker:
            self._loudspeaker.cut()


def _introduce(assistant: Assistant) -> None:
    engines = {choice.slot: choice for choice in assistant.choices}
    chat = engines["chat"]
    note(f"{chat.engine} {chat.model}".strip() + f" answers ({chat.why}). /exit or Ctrl-D ends, Ctrl-C cuts a reply.")
    if chat.better:
        note(f"better: {chat.better}" + (f"; get it: {chat.remedy}" if chat.remedy else ""))


def _typed() -> str | None:
    with suppress(ImportError):
        import readline  # noqa: F401  # gives `input` its line editing
    try:
        return input(PROMPT)
    except EOFError:
        sys.stdout.write("\n")
        return None


def _piped() -> str | None:
    return sys.stdin.readline() or None
