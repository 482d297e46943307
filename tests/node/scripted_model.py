"""What the model behind the server answers: it goes by the question alone, so that a client elsewhere can script it."""

from typing import Any

from models.quoting import question_of
from tests.ollama_stand_in import Fail, Reply

REPLIES = {
    "你好，你是谁？": Reply("我是听说，你的语音助手。"),
    "What time is it now?": Reply("Thank you very much."),
    "Why is the sky blue?": Reply("Air scatters blue light.", thinking="Short waves scatter most."),
    # Ten seconds, unless somebody stops it.
    "Count slowly.": Reply(" ".join(map(str, range(1, 201))), pause=0.05),
    "Be busy.": Reply(fail=Fail(status=503, words="server busy, please try again")),
    "Break off.": Reply("One two three.", fail=Fail("line", words="out of memory", after=2)),
}
WEATHER = [("weather", {"place": "Graz"}), ("weather", {"place": "林茨"})]
FORM = {"city": "格拉茨", "country": "Austria", "days": 3}


def reply(body: dict[str, Any]) -> Reply:
    """The reply to a chat request of Ollama's."""
    *before, last = body["messages"]
    if form := body.get("format"):
        # Else it is a call that is insisted on.
        return Reply(data=FORM if form == "json" or "city" in form["properties"] else {"place": "Graz"})
    if last["role"] == "tool":
        results = [message["content"] for message in (*before, last) if message["role"] == "tool"]
        return Reply(f"The tools say: {' / '.join(results)}")
    question = question_of(last["content"])
    offered = {tool["function"]["name"] for tool in body.get("tools", ())}
    if "weather" in offered and ("weather" in question or "天气" in question):
        return Reply("", tool_calls=WEATHER)
    if question == "Hand over.":
        return Reply("", tool_calls=[("transfer_to_Chinese", {})])
    if question == "What did I say before?":
        said = [question_of(message["content"]) for message in before if message["role"] == "user"]
        return Reply(f"You said: {said[-1]}")
    return REPLIES.get(question, Reply("Hello there."))
