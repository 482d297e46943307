"""Ollama: LangChain's ChatOllama and OllamaEmbeddings, kept hot and with our errors; knows no persona."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, TypeAlias

from langchain_core.messages import BaseMessage
from langchain_core.tools import BaseTool
from langchain_ollama import ChatOllama
from langchain_ollama import OllamaEmbeddings as LangChainOllamaEmbeddings
from ollama import AsyncClient, ChatResponse, Client
from pydantic import Field, PrivateAttr

from configs import settings as settings_of
from configs.errors import ConfigError, EngineUnavailable
from models.engines.ollama_failures import cut, translated
from models.engines.ollama_probe import client_options, host_url

EMBEDDING_BATCH: Final = 32
"""Texts in one request, so that a timeout is about a known amount of work."""

Tool: TypeAlias = dict[str, Any] | type | Callable[..., Any] | BaseTool
"""What LangChain takes for a tool."""

SAMPLING: Final = frozenset(
    {"num_keep", "seed", "num_predict", "stop", "temperature", "top_k", "top_p", "min_p", "typical_p"}
    | {"repeat_last_n", "repeat_penalty", "presence_penalty", "frequency_penalty"}
)
"""The options that may differ between requests without making Ollama load the model again."""

log = logging.getLogger(__name__)


class OllamaChat(ChatOllama):
    """ChatOllama whose options are constant and whose errors are ours.

    Raises EngineUnavailable (not running, busy, too slow), ModelNotFound, PromptTooLong and EngineFailed (refused or
    cut), while streaming and not. Token counts come as `usage_metadata`; a reply that ended at its limit of tokens has
    the `done_reason` "length" in its `response_metadata`.
    """

    sampling: dict[str, Any] = Field(default_factory=dict)
    """Options of every request, by Ollama's names."""
    _trained: int | None = PrivateAttr(default=None)
    """The context that the model was trained for, once `look` has found out; Ollama gives no more."""

    @property
    def context(self) -> int:
        """Tokens that a prompt and its reply may have together."""
        assert self.num_ctx, "num_ctx is sent with every request"
        return min(self.num_ctx, self._trained or self.num_ctx)

    @property
    def reply(self) -> int:
        """Tokens that a reply may have; 0 or less where nothing limits it."""
        return int(self.sampling.get("num_predict", -1))

    async def look(self) -> None:
        """Finds out how much the model can hold; loads nothing. Raises as a reply does.

        Not from `/api/ps`: that names the model which loaded the weights first, and a persona shares them.
        """
        with translated(str(self.base_url), self.model):
            known = (await self._async_client.show(self.model)).modelinfo or {}
        self._trained = next((int(size) for key, size in known.items() if key.endswith(".context_length")), None)

    async def preload(self, messages: Sequence[BaseMessage], tools: Sequence[Tool] = ()) -> int:
        """Loads the model and fills its prompt cache with the prefix that every turn begins with.

        Returns the tokens of that prefix. Raises as a reply does.
        """
        # One token, since Ollama reads 0 as "no limit".
        bound = (self.bind_tools(tools) if tools else self).bind(options={"num_predict": 1})
        reply = await bound.ainvoke(list(messages))
        await self.look()
        return reply.usage_metadata["input_tokens"] if reply.usage_metadata else 0

    async def aclose(self) -> None:
        """Closes the connections; no call may follow."""
        await _close(self._client, self._async_client)

    def _chat_params(
        self, messages: list[BaseMessage], stop: list[str] | None = None, **kwargs: object
    ) -> dict[str, Any]:
        params = super()._chat_params(messages, stop, **kwargs)
        params["options"] = {**self.sampling, **params["options"], "num_ctx": self.num_ctx}
        return params

    def _create_chat_stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, **kwargs: object
    ) -> Iterator[Mapping[str, Any] | str]:
        part: Mapping[str, Any] | str = {}
        request = self._request(messages, stop, **kwargs)
        with translated(str(self.base_url), self.model):
            for part in self._client._request(ChatResponse, **request):
                yield part
            self._check_end(part, asked=_limited(kwargs))

    async def _acreate_chat_stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, **kwargs: object
    ) -> AsyncIterator[Mapping[str, Any] | str]:
        part: Mapping[str, Any] | str = {}
        request = self._request(messages, stop, **kwargs)
        with translated(str(self.base_url), self.model):
            async with aclosing(await self._async_client._request(ChatResponse, **request)) as parts:
                async for part in parts:
                    yield part
            self._check_end(part, asked=_limited(kwargs))

    def _request(self, messages: list[BaseMessage], stop: list[str] | None, **kwargs: object) -> dict[str, Any]:
        """What the clients' `chat` would send, and that a prompt is to be refused, never cut in silence.

        They do not know `truncate`. Ollama does since 0.12.6; it leaves the model loaded, unlike `shift`.
        """
        params = {**self._chat_params(messages, stop, **kwargs), "truncate": False, "stream": True}
        body = {name: value for name, value in params.items() if value is not None}
        return {"method": "POST", "url": "/api/chat", "json": body, "stream": True}

    def _check_end(self, last: Mapping[str, Any] | str, *, asked: bool) -> None:
        """A reply ends with a line that says so; one that only loaded the model says nothing."""
        if isinstance(last, str) or not last.get("done"):
            reason = "the stream ended without its last line, as when a model says one thing over and over"
            raise cut(str(self.base_url), self.model, reason)
        if last.get("done_reason") in ("load", "unload"):
            raise EngineUnavailable(
                f"Ollama loaded {self.model!r} but gave no reply", "Try again; a request needs at least one message."
            )
        if last.get("done_reason") == "length" and not asked:
            log.warning("%r broke off after %s tokens, its limit (num_predict)", self.model, last.get("eval_count"))


class OllamaEmbeddings(LangChainOllamaEmbeddings):
    """OllamaEmbeddings that put the prefix before questions only; errors as OllamaChat."""

    query_prefix: str = ""

    async def aclose(self) -> None:
        """Closes the connections; no call may follow."""
        await _close(self._client, self._async_client)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One unit vector a text, in requests of EMBEDDING_BATCH texts; blocking."""
        vectors: list[list[float]] = []
        with translated(str(self.base_url), self.model):
            for batch in _batches(texts):
                vectors += super().embed_documents(batch)
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question; blocking."""
        return self.embed_documents([self.query_prefix + text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """As `embed_documents`."""
        vectors: list[list[float]] = []
        with translated(str(self.base_url), self.model):
            for batch in _batches(texts):
                vectors += await super().aembed_documents(batch)
        return vectors

    async def aembed_query(self, text: str) -> list[float]:
        """As `embed_query`."""
        return (await self.aembed_documents([self.query_prefix + text]))[0]


def open_chat(
    settings: settings_of.OllamaChat,
    model: str,
    sampling: Mapping[str, Any] | None = None,
    *,
    reasoning: bool | str = False,
    server: str | None = None,
) -> OllamaChat:
    """The chat model of that name on one server, the first unless another is named; connects at the first call.

    `sampling` holds Ollama's options (temperature, top_k, min_p, stop …); `reasoning` lets the model think first.
    Raises ConfigError for an address or an option that cannot be.
    """
    host = host_url(server or settings.servers[0])
    # Thoughts count as part of the reply; more than half of the context is never kept free for it.
    half = settings.num_ctx // 2
    limit = half if reasoning else min(settings.num_predict, half)
    return OllamaChat(
        model=model,
        base_url=host,
        reasoning=reasoning,
        num_ctx=settings.num_ctx,
        keep_alive=settings.keep_alive,
        sampling={"num_predict": limit, **_checked(sampling or {}, settings.num_ctx)},
        client_kwargs=client_options(host, settings.timeout),
    )


def open_embeddings(settings: settings_of.OllamaEmbedding, *, server: str | None = None) -> OllamaEmbeddings:
    """The embeddings of one server, the first unless another is named; connect at the first call.

    Raises ConfigError.
    """
    host = host_url(server or settings.servers[0])
    return OllamaEmbeddings(
        model=settings.model,
        base_url=host,
        keep_alive=-1,
        query_prefix=settings.query_prefix,
        client_kwargs=client_options(host, settings.timeout),
    )


async def _close(client: Client | None, async_client: AsyncClient | None) -> None:
    if client and async_client:
        client.close()  # type: ignore[no-untyped-call]
        await async_client.close()  # type: ignore[no-untyped-call]


def _checked(sampling: Mapping[str, Any], num_ctx: int) -> dict[str, Any]:
    options = dict(sampling)
    if options.pop("num_ctx", num_ctx) != num_ctx:
        raise ConfigError(
            f"the persona wants num_ctx {sampling['num_ctx']}, the settings {num_ctx}",
            "Take num_ctx out of its Modelfile: chat.ollama.num_ctx is for all, since another value makes Ollama load "
            "the model again.",
        )
    if unknown := options.keys() - SAMPLING:
        raise ConfigError(f"no sampling option: {', '.join(sorted(unknown))}", f"Known: {', '.join(sorted(SAMPLING))}.")
    return options


def _limited(kwargs: Mapping[str, object]) -> bool:
    """Whether the call itself says how long the reply may be."""
    options = kwargs.get("options")
    return isinstance(options, Mapping) and "num_predict" in options


def _batches(texts: list[str]) -> Iterator[list[str]]:
    return (texts[start : start + EMBEDDING_BATCH] for start in range(0, len(texts), EMBEDDING_BATCH))
