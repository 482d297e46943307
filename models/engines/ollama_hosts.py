"""Several Ollama servers behind one model: a conversation keeps to one of them; no reply is begun twice."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from hashlib import sha256
from time import monotonic
from typing import Any, Final, TypeVar

from anyio import create_task_group
from langchain_core.embeddings import Embeddings
from langchain_core.messages import BaseMessage
from langchain_core.runnables import ensure_config
from pydantic import PrivateAttr

from configs import settings as settings_of
from configs.errors import EngineError
from models.engines import ollama
from models.engines.ollama import OllamaChat, OllamaEmbeddings, Tool
from models.engines.ollama_failures import elsewhere
from models.engines.ollama_probe import host_url

AVOIDED_SECONDS: Final = 15.0
"""For so long a server that failed comes after all others."""

Made = TypeVar("Made")

log = logging.getLogger(__name__)


def ranked(hosts: Sequence[str], conversation: str) -> list[str]:
    """The hosts, the conversation's own first; one host more or less moves only the conversations that it serves.

    Rendezvous hashing: prompt caches are per host, so a conversation must find the host that has its prompt.
    """
    return sorted(hosts, key=lambda host: sha256(f"{host}\n{conversation}".encode()).digest(), reverse=True)


class Failover:
    """Which of several servers may be tried next; one that failed comes after all others for a while."""

    def __init__(self) -> None:
        self._avoided: dict[str, float] = {}
        """Until when, by the monotonic clock."""

    def order(self, hosts: Iterable[str]) -> list[str]:
        """The hosts in their order, those that are avoided at the end."""
        now = monotonic()
        return sorted(hosts, key=lambda host: self._avoided.get(host, 0) > now)

    def may_go_on(self, host: str, error: EngineError) -> bool:
        """Whether another server may do what this one failed to do; this one is then avoided for a while."""
        if not elsewhere(error):
            return False
        log.warning("%s; avoided for %g s", error.message, AVOIDED_SECONDS)
        self._avoided[host] = monotonic() + AVOIDED_SECONDS
        return True


class OllamaHosts(OllamaChat):
    """OllamaChat over several servers that have the same models.

    The conversation is the `thread_id` of the config in force. Where its server cannot serve, the next one does, unless
    a piece of the reply has come: then it fails as OllamaChat does.
    """

    members: tuple[OllamaChat, ...]
    """One for each server."""
    _failover: Failover = PrivateAttr(default_factory=Failover)

    @property
    def context(self) -> int:
        """The least that any server gives."""
        return min(member.context for member in self.members)

    async def look(self) -> None:
        """Looks at every server. Raises what the last one raised, when none answers."""
        failures: list[EngineError] = []
        for member in self.members:
            try:
                await member.look()
            except EngineError as error:
                self._may_go_on(member, error)
                failures.append(error)
        if len(failures) == len(self.members):
            raise failures[-1]

    async def preload(self, messages: Sequence[BaseMessage], tools: Sequence[Tool] = ()) -> int:
        """Preloads every server at once. Raises what the last one raised, when the others have loaded."""
        counts: list[int] = []
        failures: list[EngineError] = []

        async def one(member: OllamaChat) -> None:
            try:
                counts.append(await member.preload(messages, tools))
            except EngineError as error:
                self._may_go_on(member, error)
                failures.append(error)

        async with create_task_group() as tasks:
            for member in self.members:
                tasks.start_soon(one, member)
        if failures:
            raise failures[-1]
        return max(counts)

    async def aclose(self) -> None:
        """Closes the connections to all servers; no call may follow."""
        for member in self.members:
            await member.aclose()
        await super().aclose()

    def _create_chat_stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, **kwargs: object
    ) -> Iterator[Mapping[str, Any] | str]:
        failures: list[EngineError] = []
        for member in self._order():
            begun = False
            try:
                for part in member._create_chat_stream(messages, stop, **kwargs):
                    begun = True
                    yield part
                return
            except EngineError as error:
                failures.append(error)
                if not self._may_go_on(member, error) or begun:
                    raise
        raise _nowhere(failures) from failures[-1]

    async def _acreate_chat_stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, **kwargs: object
    ) -> AsyncIterator[Mapping[str, Any] | str]:
        failures: list[EngineError] = []
        for member in self._order():
            begun = False
            try:
                async with aclosing(member._acreate_chat_stream(messages, stop, **kwargs)) as parts:  # type: ignore[type-var]
                    async for part in parts:
                        begun = True
                        yield part
                return
            except EngineError as error:
                failures.append(error)
                if not self._may_go_on(member, error) or begun:
                    raise
        raise _nowhere(failures) from failures[-1]

    def _order(self) -> list[OllamaChat]:
        """The members as the conversation in force tries them."""
        members = {str(member.base_url): member for member in self.members}
        conversation = str(ensure_config().get("configurable", {}).get("thread_id", ""))
        return [members[host] for host in self._failover.order(ranked([*members], conversation))]

    def _may_go_on(self, member: OllamaChat, error: EngineError) -> bool:
        return self._failover.may_go_on(str(member.base_url), error)


class OllamaEmbeddingHosts(Embeddings):
    """OllamaEmbeddings over several servers that have the same model: the first that can serve does, whoever asks.

    Raises as OllamaEmbeddings does, once the last one has failed.
    """

    def __init__(self, members: Iterable[OllamaEmbeddings]) -> None:
        self._members = {str(member.base_url): member for member in members}
        self._failover = Failover()

    async def aclose(self) -> None:
        """Closes the connections to all servers; no call may follow."""
        for member in self._members.values():
            await member.aclose()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """As OllamaEmbeddings; blocking."""
        return self._first(lambda member: member.embed_documents(texts))

    def embed_query(self, text: str) -> list[float]:
        """As OllamaEmbeddings; blocking."""
        return self._first(lambda member: member.embed_query(text))

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """As OllamaEmbeddings."""
        return await self._afirst(lambda member: member.aembed_documents(texts))

    async def aembed_query(self, text: str) -> list[float]:
        """As OllamaEmbeddings."""
        return await self._afirst(lambda member: member.aembed_query(text))

    def _first(self, embed: Callable[[OllamaEmbeddings], Made]) -> Made:
        failures: list[EngineError] = []
        for host in self._failover.order(self._members):
            try:
                return embed(self._members[host])
            except EngineError as error:
                self._note(host, error, failures)
        raise _nowhere(failures) from failures[-1]

    async def _afirst(self, embed: Callable[[OllamaEmbeddings], Awaitable[Made]]) -> Made:
        failures: list[EngineError] = []
        for host in self._failover.order(self._members):
            try:
                return await embed(self._members[host])
            except EngineError as error:
                self._note(host, error, failures)
        raise _nowhere(failures) from failures[-1]

    def _note(self, host: str, error: EngineError, failures: list[EngineError]) -> None:
        """Keeps the failure, and raises one that another server would have as well."""
        failures.append(error)
        if not self._failover.may_go_on(host, error):
            raise error


def open_chat(
    settings: settings_of.OllamaChat,
    model: str,
    sampling: Mapping[str, Any] | None = None,
    *,
    reasoning: bool | str = False,
) -> OllamaChat:
    """As `ollama.open_chat`, over all servers that the settings name."""
    servers = dict.fromkeys(map(host_url, settings.servers))
    members = tuple(
        ollama.open_chat(settings, model, sampling, reasoning=reasoning, server=server) for server in servers
    )
    return members[0] if len(members) == 1 else OllamaHosts(**{**dict(members[0]), "members": members})


def open_embeddings(settings: settings_of.OllamaEmbedding) -> OllamaEmbeddings | OllamaEmbeddingHosts:
    """As `ollama.open_embeddings`, over all servers that the settings name."""
    servers = dict.fromkeys(map(host_url, settings.servers))
    members = [ollama.open_embeddings(settings, server=server) for server in servers]
    return members[0] if len(members) == 1 else OllamaEmbeddingHosts(members)


def _nowhere(failures: Sequence[EngineError]) -> EngineError:
    """The error for what no server could do: the last one's kind, and what each said."""
    last = failures[-1]
    return type(last)("; ".join(failure.message for failure in failures), last.hint)
