"""What frontends ask a model beside the conversation (titles, tags, follow-ups), told by its words; answers nothing."""

import re
from collections.abc import Sequence
from typing import Final

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage

_OPEN_WEBUI: Final = re.compile(
    r"\s*(?:### Task:|Your task is to reflect the speaker's likely facial expression|"
    r"You have been provided with a set of responses from various models)"
)
_WITH_CONTEXT: Final = re.compile(r"\s*### Task:\s*Respond to the user query using the provided context", re.I)
"""Open WebUI's own documents, put around a question of the user's: no task beside the conversation."""

_TITLE: Final = re.compile(
    r"concise, 5-word-or-less title for the conversation|"
    r"Analyze this conversation and provide:\s*1\. The detected language|"
    r"concise title \(max 40 characters\) for a conversation that starts with",
    re.I,
)
"""LibreChat's."""

_TOLD: Final = re.compile(
    r"Available Tools: .*?"
    r"(?:Return an empty string if no tools match|Your task is to choose and return the correct tool)|"
    r"You are a professional conversation summarizer|You are a conversation-savvy assistant\. Summarize|"
    r"You are an assistant skilled in conversation who needs to summarize|"
    r"你是一名擅长会话的助理，你需要将用户的会话总结为|You are an emoji expert",
    re.I | re.DOTALL,
)
"""How the system messages for such tasks begin: of Open WebUI's choice of tools, and LobeChat's."""


def is_background_task(messages: Sequence[AnyMessage]) -> bool:
    """Whether a request is for the frontend itself, so that no persona answers it and nobody remembers it."""
    asked = [message.text for message in messages if isinstance(message, HumanMessage)]
    told = [message.text for message in messages if isinstance(message, SystemMessage)]
    if any(_TOLD.match(text.lstrip()) for text in told):
        return True
    if not asked or _WITH_CONTEXT.match(asked[-1]):
        return False
    alone = len(asked) == 1 and all(isinstance(message, HumanMessage | SystemMessage) for message in messages)
    return bool((alone and _OPEN_WEBUI.match(asked[0])) or _TITLE.search(asked[-1]))


def own_words(text: str) -> str:
    """What the user wrote, without the documents that Open WebUI has put before it."""
    if not _WITH_CONTEXT.match(text):
        return text
    if found := re.search(r"<user_query>\s*(.*?)\s*</user_query>", text, re.DOTALL):
        return found[1]
    return text.rpartition("</context>")[2].strip() or text
