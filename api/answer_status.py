"""With which status a request is answered, seen as the answer goes by; changes nothing of it."""

from typing import Final

from starlette.types import Message, Send

STARTS: Final = ("http.response.start", "websocket.http.response.start", "websocket.accept")


class AnswerStatus:
    """What sends an answer, in place of `send`."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 500
        """Until somebody answers, as servers answer then."""

    async def __call__(self, message: Message) -> None:
        """Sends a message on; a WebSocket that is refused counts as 403."""
        if message["type"] in STARTS:
            self.status = message.get("status", 101)
        elif message["type"] == "websocket.close" and self.status == 500:
            self.status = 403
        await self._send(message)
