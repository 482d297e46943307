"""Errors below /api, told as Ollama tells them, whoever refused; which error it is, it does not know."""

import json

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import as_ollama


class OllamaErrors:
    """Rewrites the body of an error in OpenAI's form; stands before all that may refuse."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        ours = scope["type"] == "http" and scope["path"].startswith("/api/")
        await self._app(scope, receive, _rewriting(send) if ours else send)


def _rewriting(send: Send) -> Send:
    begun: list[Message] = []
    told = bytearray()

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            begun.append(message)
        elif not begun:
            await send(message)
        else:
            told.extend(message.get("body", b""))
            if not message.get("more_body"):
                start = begun.pop()
                body = json.dumps(as_ollama(json.loads(told)), ensure_ascii=False).encode() if told else b""
                MutableHeaders(scope=start)["content-length"] = str(len(body))
                await send(start)
                await send({"type": "http.response.body", "body": body})

    return sent
