"""What a persona knows of a user, and what a turn may change of it: only what the user asked for in so many words."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from agent.inquiry import Inquiry
from memory.memories import Memories, Recollection
from memory.personal_terms import asked, stated
from memory.remembered import Memory, Space
from memory.statements import sentences, statements
from memory.turns import Turns
from tools.memory_requests import Forget, Remember, request_in, said_besides

TOLD: Final = 12
"""The most memories that are told at once."""

SAID: Final = {
    "remembered": {"en": "I will remember that.", "zh": "好的，我记住了。"},
    "not asked to remember": {
        "en": "Nothing was kept: the user did not ask for it in this message.",
        "zh": "没有记录：用户这句话里没有要求记住。",
    },
    "not asked to forget": {
        "en": "Nothing was erased: the user did not ask for it in this message.",
        "zh": "没有删除：用户这句话里没有要求忘记。",
    },
    "forgotten": {"en": "I have forgotten it.", "zh": "好的，我已经忘掉了。"},
    "nothing to forget": {"en": "I remember nothing of that kind.", "zh": "我的记忆里没有这样的内容。"},
    "nothing known": {"en": "You have not told me anything about yourself yet.", "zh": "你还没有告诉过我关于你的事。"},
    "everything": {
        "en": "I do not erase everything on words that may be misheard. The command tingshuo memory forget --all does.",
        "zh": "怕听错，我不会凭一句话清空全部记忆。请运行命令 tingshuo memory forget --all。",
    },
}


@dataclass(frozen=True, slots=True)
class Remembrance:
    """A persona's way to what users told it."""

    memories: Memories
    turns: Turns
    persona: str
    """ "" where it shares its memory with other personas, else its name."""

    def space(self, user: str) -> Space:
        """What it knows of a user."""
        return Space(user, self.persona)

    async def recall(self, inquiry: Inquiry, without: Collection[str]) -> Recollection:
        """What the user has said that answers; `without` the turns that the model sees anyway."""
        return await self.memories.recall(self.space(inquiry.user), inquiry.text, without=without, now=inquiry.at)

    async def profile(self, user: str) -> str:
        """What matters of a user, in a few lines."""
        return await self.memories.profile(self.space(user))

    async def told(self, user: str) -> tuple[Memory, ...]:
        """What it would tell a user who asks what it knows: facts and notes, then what was said last."""
        space, found = self.space(user), list[Memory]()
        for kind in ("note", "fact", "turn"):
            found += await self.memories.list(space, kind=kind, limit=TOLD - len(found)) if len(found) < TOLD else ()
        return tuple(found)


@dataclass
class TurnMemory:
    """What a turn may do with the memory: the user's own words decide, whatever a model or a document asks for."""

    remembrance: Remembrance
    inquiry: Inquiry
    forgotten: set[str] = field(default_factory=set)
    """The turns that were erased."""
    erased: int | None = None
    """How many memories, once the user has asked to forget something."""

    @property
    def _space(self) -> Space:
        return self.remembrance.space(self.inquiry.user)

    async def remember(self, text: str) -> str:
        """Keeps what the user has asked to remember, in the user's words; what to tell the user."""
        request = request_in(self.inquiry.text)
        if not isinstance(request, Remember):
            return self._said("not asked to remember")
        await self.remembrance.memories.note(
            self._space,
            request.text,
            quote=request.text,
            turn=self.inquiry.turn,
            language=self.inquiry.language,
            said_at=self.inquiry.at,
        )
        return self._said("remembered")

    async def recall(self, query: str) -> Sequence[Memory]:
        """What the user has said on this; with an empty query what matters most."""
        if not query.strip():
            return await self.remembrance.told(self.inquiry.user)
        found = await self.remembrance.memories.recall(self._space, query, now=self.inquiry.at)
        return found.memories if found.answerable else ()

    async def forget(self, what: str) -> str:
        """Erases what the user has asked to forget; what to tell the user."""
        request = request_in(self.inquiry.text)
        if not isinstance(request, Forget):
            return self._said("not asked to forget")
        if request.everything:
            return self._said("everything")
        erased = await (self._forget_about(request) if request.what else self._forget_last())
        await self._keep_besides(request)
        self.erased = (self.erased or 0) + erased
        return self._said("forgotten" if erased else "nothing to forget")

    async def _keep_besides(self, request: Forget) -> None:
        """A turn that asks to forget is not kept; what the user told before that, on something else, is."""
        for told in told_besides(self.inquiry.text, request):
            await self.remembrance.memories.note(
                self._space, told, quote=told, turn=None, language=self.inquiry.language, said_at=self.inquiry.at
            )

    async def _forget_about(self, request: Forget) -> int:
        memories = self.remembrance.memories
        asking = next((part for part in sentences(self.inquiry.text) if request_in(part) == request), "")
        for words in filter(None, (request.what, said_besides(asking, request))):
            found = await memories.recall(self._space, words, now=self.inquiry.at)
            if found.answerable:
                gone = await memories.forget(self._space, [memory.id for memory in found.memories])
                self.forgotten.update(turn for _, turn in gone.turns)
                return max(gone.memories, len(gone.turns))
        return 0

    async def _forget_last(self) -> int:
        last = await self.remembrance.turns.of(self.inquiry.conversation, 1, user=self.inquiry.user)
        if not last:
            return 0
        gone = await self.remembrance.memories.forget(self._space, [], turns=[turn.id for turn in last])
        self.forgotten.update(turn for _, turn in gone.turns)
        return max(gone.memories, len(gone.turns))

    def telling(self, memories: Sequence[Memory]) -> str:
        """Memories as one would tell them, without a language model."""
        if not memories:
            return self._said("nothing known")
        chinese = self.inquiry.language == "zh"
        ends = "。！？" if chinese else ".!?"
        told = [memory.text.strip().strip('"“”') for memory in memories]
        told = [text if text.endswith(tuple(".!?。！？")) else text + ends[0] for text in told]
        return (
            "你告诉过我：" + "".join(f"“{text}”" for text in told)
            if chinese
            else ("You told me: " + " ".join(f'"{text}"' for text in told))
        )

    def _said(self, what: str) -> str:
        return SAID[what].get(self.inquiry.language, SAID[what]["en"])


def told_besides(text: str, request: Forget) -> list[str]:
    """What a text tells before the sentence that asks to forget, on something else than what is to be forgotten.

    Nothing where that is not named in the sentence itself: "delete it" may mean any of the sentences before it.
    """
    if not request.what:
        return []
    parts = sentences(text)
    at = next((at for at, part in enumerate(parts) if request_in(part) == request), 0)
    gone = set(asked(request.what).terms)
    told = [told for part in parts[:at] for told in statements(part)]
    return [one for one in told if gone and gone.isdisjoint(stated(one)) and not _REFERS.match(one)]


_REFERS: Final = re.compile(r"(?:it|this|that|these|those|they)\b|[它这那]", re.I)
"""A sentence that begins so may be about what is to be forgotten."""
