"""A chat model without a language model: quotes the passages and memories in the prompt, or says that it cannot."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from uuid import uuid4

from anyio.lowlevel import checkpoint
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from configs import settings as settings_of
from models.engines.extractive_evidence import Evidence, evidence, language
from models.engines.extractive_memories import is_personal, quoted_memory
from models.engines.extractive_sentences import HAN
from models.quoting import QuotedMemory, QuotedPassage, question_of, quoted, quoted_memories

SEARCH: Final = "knowledge_search"
"""The one tool that it calls: it takes a `query` and brings passages."""

NOTHING: Final = {
    "en": "I found nothing to quote on that. No language model is running here: I can only quote documents. "
    "To talk freely, start Ollama; the command tingshuo doctor says what is missing.",
    "zh": "我没有找到可以引用的内容。现在没有运行语言模型，我只能引用文档。"
    "想自由对话，请先启动 Ollama；运行 tingshuo doctor 可以查看还缺什么。",
}
NO_QUESTION: Final = {
    "en": "I did not get a question. Ask me something that your documents can answer.",
    "zh": "我没有收到问题。请问一个文档里能找到答案的问题。",
}

_PASSAGES = re.compile(r"<(passages|memories)>.*?</\1>", re.DOTALL)
_PIECE = re.compile(rf"[{HAN}]{{1,2}}[，。！？：；、”》）]*|\s*[^\s{HAN}]+|\s+")
_SUFFIX = re.compile(r"\.(?:md|markdown|txt|rst|html?|pdf|docx?|csv)$", re.I)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the last question is, and what stands with it."""

    question: str
    passages: tuple[QuotedPassage, ...]
    memories: tuple[QuotedMemory, ...]
    """The best first."""
    searched: bool
    """A search was called since the question."""
    language: str


class ExtractiveChat(BaseChatModel):
    """Quotes the sentences that answer the last question, each followed by its passage's number in brackets.

    It reads the passages that stand in or after the last human message, as `models.quoting` writes them. Where there
    are none and `knowledge_search` is bound, it calls that once. The same prompt always gives the same words.
    """

    settings: settings_of.ExtractiveChat = settings_of.ExtractiveChat()

    @property
    def _llm_type(self) -> str:
        return "extractive"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: object,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Binds tools of any of LangChain's kinds; with `tool_choice` "none" it calls none."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], tool_choice=tool_choice, **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> Iterator[ChatGenerationChunk]:
        asked = read(messages)
        if asked.question and not (asked.passages or asked.memories or asked.searched) and _can_search(kwargs):
            chunks = _search(asked.question)
        else:
            chunks = [AIMessageChunk(content=piece) for piece in pieces(answer(asked, self.settings.sentences))]
        chunks[-1].response_metadata = {"finish_reason": "stop", "model_name": "extractive"}
        yield from (ChatGenerationChunk(message=chunk) for chunk in chunks)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._stream(messages, stop, None, **kwargs):
            await checkpoint()
            yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, None, **kwargs))


def read(messages: Sequence[BaseMessage]) -> Asked:
    """The last question of a conversation, with the passages in it and after it."""
    last = max((at for at, message in enumerate(messages) if isinstance(message, HumanMessage)), default=-1)
    since = messages[last:] if last >= 0 else []
    questions = [_question(message) for message in messages if isinstance(message, HumanMessage)]
    found = [passage for message in since for passage in quoted(message.text)]
    return Asked(
        question=questions[-1] if questions else "",
        passages=tuple({(passage.document, passage.text): passage for passage in reversed(found)}.values())[::-1],
        memories=tuple(memory for message in since for memory in quoted_memories(message.text)),
        searched=any(_is_search(message) for message in since),
        language=language(next((question for question in reversed(questions) if question), "")),
    )


def answer(asked: Asked, limit: int) -> str:
    """The reply: what the user has said on it, sentences of documents under their sources, or why there is neither.

    Both stand there only where the question is about the user: "my leave" may be in a handbook too.
    """
    if not asked.question:
        return NO_QUESTION[asked.language]
    found = evidence(asked.question, asked.passages, limit)
    told = asked.memories and (not found or is_personal(asked.question))
    parts = [quoted_memory(asked.question, asked.memories, asked.language)] if told else []
    parts += [_documents(found, asked.language)] if found else []
    return ("" if asked.language == "zh" else " ").join(parts) or NOTHING[asked.language]


def _documents(found: Sequence[Evidence], language: str) -> str:
    groups = [(passage, list(group)) for passage, group in groupby(found, key=lambda one: one.passage)]
    if language == "zh":
        return "".join(_quoted_zh(passage, group) for passage, group in groups)
    return " ".join(_quoted_en(passage, group) for passage, group in groups)


def pieces(text: str) -> list[str]:
    """A text as a model would stream it: English by the word, Chinese by two characters; together they are the text."""
    return _PIECE.findall(text)


def _quoted_en(passage: QuotedPassage, group: Sequence[Evidence]) -> str:
    quotes = (f'"{one.text}" [{passage.id}]{"" if _is_closed(one.text) else "."}' for one in group)
    return f"According to {', '.join(_source(passage))}: {' '.join(quotes)}"


def _quoted_zh(passage: QuotedPassage, group: Sequence[Evidence]) -> str:
    document, *heading = _source(passage)
    quotes = (f"“{one.text}”[{passage.id}]{'' if _is_closed(one.text) else '。'}" for one in group)
    return f"根据《{document}》{f'{heading[0]}一节' if heading else ''}：{''.join(quotes)}"


def _source(passage: QuotedPassage) -> list[str]:
    """The document's name, then the last part of the heading's path where it says more."""
    document = _SUFFIX.sub("", passage.document.replace("\\", "/").rpartition("/")[2]).strip("《》")
    heading = passage.heading.rpartition("›")[2].strip()
    return [document, heading] if heading and heading.casefold() != document.casefold() else [document]


def _is_closed(sentence: str) -> bool:
    return bool(re.search(r"[.。!！?？…][”’」』）)\"'\]]*$", sentence))


def _question(message: BaseMessage) -> str:
    return _PASSAGES.sub("", question_of(message.text)).strip()


def _is_search(message: BaseMessage) -> bool:
    if isinstance(message, AIMessage):
        return any(call["name"] == SEARCH for call in message.tool_calls)
    return isinstance(message, ToolMessage)


def _can_search(options: dict[str, Any]) -> bool:
    names = [tool["function"]["name"] for tool in options.get("tools") or ()]
    return SEARCH in names and options.get("tool_choice") != "none"


def _search(question: str) -> list[AIMessageChunk]:
    """The call of the search, in two pieces."""
    named = tool_call_chunk(name=SEARCH, args="", id=f"call_{uuid4().hex}", index=0)
    filled = tool_call_chunk(args=json.dumps({"query": question}, ensure_ascii=False), index=0)
    return [AIMessageChunk(content="", tool_call_chunks=[part]) for part in (named, filled)]
