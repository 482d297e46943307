"""What a conversation's messages are after a turn: they end where the user stopped hearing."""

from collections.abc import Collection, Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from tools.thoughts import ThoughtFilter


def settled(messages: Sequence[AnyMessage], question: HumanMessage, heard: str, *, whole: bool) -> list[AnyMessage]:
    """A conversation's messages after a turn: they end where the user stopped hearing.

    A reply that was heard whole stays as it was shown. Otherwise tool calls that never came back get a result
    that says so, and the reply is cut to `heard`; where nothing was heard the question stands alone. No thought stays.
    """
    messages = [unthought(message) for message in messages]
    place = next((i for i, message in enumerate(messages) if message.id == question.id), None)
    before, after = (messages, []) if place is None else (messages[:place], messages[place + 1 :])
    if whole and after:
        return [*before, question, *_as_shown(after, heard)]
    kept: list[AnyMessage] = [*before, question]
    answered = {message.tool_call_id for message in after if isinstance(message, ToolMessage)}
    for message in after:
        if isinstance(message, ToolMessage):
            kept.append(message)
        elif isinstance(message, AIMessage) and message.tool_calls:
            lost = [call["id"] for call in message.tool_calls if call["id"] not in answered]
            kept += [message, *(ToolMessage("cancelled", tool_call_id=call) for call in lost)]
    return [*kept, AIMessage(heard)] if heard else kept


def _as_shown(after: Sequence[AnyMessage], heard: str) -> list[AnyMessage]:
    """The messages of a whole reply; where something else was shown than the model wrote, the last one ends so."""
    written = "".join(message.text for message in after if isinstance(message, AIMessage))
    if written.strip() == heard.strip() or not isinstance(after[-1], AIMessage):
        return list(after)
    sooner = "".join(message.text for message in after[:-1] if isinstance(message, AIMessage))
    shown = heard.removeprefix(sooner) if heard.startswith(sooner) else heard
    return [*after[:-1], after[-1].model_copy(update={"content": shown})]


def unthought(message: AnyMessage) -> AnyMessage:
    """A message without the thoughts that led to it: a later turn needs none of them."""
    if not isinstance(message, AIMessage):
        return message
    thoughts = ThoughtFilter()
    text = thoughts.push(message.text) + thoughts.flush()
    if text == message.text and "reasoning_content" not in message.additional_kwargs:
        return message
    others = {key: value for key, value in message.additional_kwargs.items() if key != "reasoning_content"}
    return message.model_copy(update={"content": text, "additional_kwargs": others})


def without_turns(messages: Sequence[AnyMessage], forgotten: Collection[str]) -> list[AnyMessage]:
    """The messages without those turns; a turn begins with the question that has its id."""
    kept: list[AnyMessage] = []
    gone = False
    for message in messages:
        if isinstance(message, HumanMessage):
            gone = message.id in forgotten
        if not gone:
            kept.append(message)
    return kept
