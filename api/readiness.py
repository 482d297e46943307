"""Whether turns should be sent here now, and if not why; it opens and ends nothing."""

from typing import Final, Literal

from anyio import sleep
from anyio.to_thread import run_sync

from agent.assistant import Assistant
from api.settling import settle

AGAIN: Final = 30.0
"""Seconds after which an engine that failed is tried again."""

State = Literal["ready", "warming", "failed", "draining"]


class Readiness:
    """What a server's readiness probe is told."""

    def __init__(self) -> None:
        self._warming = True
        self._failures: list[str] = []
        self._draining = False

    @property
    def state(self) -> State:
        """`ready`: turns are welcome. Ending counts before all else."""
        if self._draining:
            return "draining"
        if self._warming:
            return "warming"
        return "failed" if self._failures else "ready"

    @property
    def reason(self) -> str:
        """Why it is not ready; "" where it is."""
        match self.state:
            case "ready":
                return ""
            case "warming":
                return "the engines are being warmed"
            case "failed":
                return "; ".join(self._failures)
            case "draining":
                return "the server is shutting down"

    @property
    def draining(self) -> bool:
        """Whether the server is ending."""
        return self._draining

    def drain(self) -> None:
        """From here on the server ends."""
        self._draining = True

    async def warm(self, assistant: Assistant) -> None:
        """Warms the persona's engines; again after a while where one fails that the settings name, until none does.

        One that `auto` took does not count: turns are tried with it all the same. Raises as `Assistant.warm` does.
        """
        while True:
            await assistant.warm()
            failures = assistant.failures().items()
            self._failures = [f"{slot}: {error.message}; {error.hint}".rstrip("; ") for slot, error in failures]
            if self._warming:
                await run_sync(settle)
            self._warming = False
            if not self._failures:
                return
            await sleep(AGAIN)
