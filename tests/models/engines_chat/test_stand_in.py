"""The stand-in for Ollama, judged by the official client: what it sends is Ollama's wire format."""

import json
import threading
from collections.abc import Iterator

import httpx
import ollama
import pytest

from tests.ollama_stand_in import Fail, Reply, StandIn, ollama_stand_in, unused_host

HI = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with ollama_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def server(running: StandIn) -> StandIn:
    running.reset()
    return running


@pytest.fixture
def client(server: StandIn) -> Iterator[ollama.Client]:
    made = ollama.Client(server.host, timeout=10)
    yield made
    made.close()  # type: ignore[no-untyped-call]


def test_it_lists_shows_and_says_what_is_loaded(server: StandIn, client: ollama.Client) -> None:
    assert [model.model for model in client.list().models] == ["qwen3:8b", "qwen3-embedding:0.6b"]
    shown = client.show("qwen3:8b")
    assert shown.capabilities == ["completion", "tools", "thinking"]
    assert shown.details
    assert shown.details.quantization_level == "Q4_K_M"
    assert client.ps().models == []
    client.chat("qwen3:8b", HI)
    assert [model.model for model in client.ps().models] == ["qwen3:8b"]
    assert httpx.get(f"{server.host}/api/version", trust_env=False).json() == {"version": "0.32.15"}
    assert httpx.get(server.host, trust_env=False).text == "Ollama is running"


def test_a_chat_streams_and_comes_whole_alike(server: StandIn, client: ollama.Client) -> None:
    server.script = Reply(
        text="你好，世界。Two words.", thinking="Let me see.", tool_calls=[("clock", {"zone": "CET"})]
    )
    parts = list(client.chat("qwen3:8b", HI, stream=True))
    whole = client.chat("qwen3:8b", HI)
    assert len(parts) > 6
    for key in ("content", "thinking"):
        assert "".join(part.message[key] or "" for part in parts if key in part.message) == whole.message[key]
    calls = [call for part in parts for call in part.message.tool_calls or ()]
    assert whole.message.tool_calls == calls
    assert calls[0].function.name == "clock"
    assert calls[0].function.arguments == {"zone": "CET"}
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    last = parts[-1]
    assert (last.done_reason, last.prompt_eval_count, last.eval_count) == ("stop", 1, len(parts) - 1)
    assert last.total_duration


def test_it_thinks_unless_told_not_to(server: StandIn, client: ollama.Client) -> None:
    server.script = Reply(thinking="Hmm.")
    assert client.chat("qwen3:8b", HI).message.thinking == "Hmm."
    assert client.chat("qwen3:8b", HI, think=True).message.thinking == "Hmm."
    assert client.chat("qwen3:8b", HI, think=False).message.thinking is None


def test_a_limit_ends_the_reply_by_length(client: ollama.Client) -> None:
    reply = client.chat("qwen3:8b", HI, options={"num_predict": 1})
    assert (reply.message.content, reply.done_reason, reply.eval_count) == ("Hello", "length", 1)


def test_no_message_only_loads_the_model(client: ollama.Client) -> None:
    assert client.chat("qwen3:8b", []).done_reason == "load"
    assert client.generate("qwen3:8b", "").done_reason == "load"
    assert client.generate("qwen3:8b", "Hi").response == "Hello there."


def test_it_embeds_alike_texts_alike(client: ollama.Client) -> None:
    one, same = client.embed("qwen3-embedding:0.6b", ["annual leave", "annual leave"]).embeddings
    assert one == same
    assert len(one) == 1024
    assert sum(value * value for value in one) == pytest.approx(1)
    assert len(client.embed("qwen3-embedding:0.6b", "one", dimensions=64).embeddings[0]) == 64


def test_create_and_pull_report_progress_and_add_the_model(server: StandIn, client: ollama.Client) -> None:
    steps = [step.status for step in client.create("butler", from_="qwen3:8b", system="You are a butler.", stream=True)]
    assert steps[-1] == "success"
    assert server.bodies("/api/create") == [
        {"model": "butler", "stream": True, "from": "qwen3:8b", "system": "You are a butler."}
    ]
    layers = [step for step in client.pull("bge-m3", stream=True) if step.digest]
    assert layers[-1].completed == layers[-1].total
    assert client.pull("bge-m3").status == "success"
    client.delete("butler")
    assert [model.model for model in client.list().models][-1] == "bge-m3"


def test_create_pulls_what_its_from_lacks(server: StandIn, client: ollama.Client) -> None:
    steps = [step.status for step in client.create("butler", from_="bge-m3", stream=True)]
    assert steps[0] == "pulling manifest"
    assert steps[-1] == "success"
    assert server.models[-2:] == ["bge-m3", "butler"]
    server.fail = Fail("line", words="pull model manifest: file does not exist")
    with pytest.raises(ollama.ResponseError, match="file does not exist"):
        list(client.create("maid", from_="absent", stream=True))
    with pytest.raises(ollama.ResponseError, match="file does not exist"):
        client.create("maid", from_="absent")
    assert not {"absent", "maid"} & {*server.models}


LONG = [("system", 50), ("user", 300), ("assistant", 150), ("user", 100)]


@pytest.mark.parametrize(
    ("num_ctx", "messages", "read"),
    [
        (601, LONG, 600),
        (600, LONG, 302),  # all messages fit, but the model has no token left to write
        (599, LONG, 300),  # the oldest goes, and the system message stays
        (301, LONG, 300),
        (299, LONG, 150),  # the next as well
        (151, LONG, 150),
        # The system message and the last are too long alone: 4 at the beginning, and half of what is left.
        (140, LONG, 72),
        (101, [("user", 600)], 53),
        (600, [("user", 600)], 302),
        (601, [("user", 600)], 600),
    ],
)
def test_a_prompt_that_is_too_long_is_cut(
    client: ollama.Client, num_ctx: int, messages: list[tuple[str, int]], read: int
) -> None:
    # By hand after server/prompt.go (whole messages, up to num_ctx) and llm/llama_server.go (num_ctx - 1).
    told = [{"role": role, "content": "word " * (count - 1) + "word"} for role, count in messages]
    found = client.chat("qwen3:8b", told, options={"num_ctx": num_ctx}).prompt_eval_count
    assert found == read


@pytest.mark.parametrize("stream", [True, False])
def test_a_prompt_that_may_not_be_cut_is_refused(server: StandIn, stream: bool) -> None:
    message = {"role": "user", "content": "word " * 599 + "word"}
    asked = {"model": "qwen3:8b", "messages": [message], "truncate": False, "stream": stream}
    for num_ctx, status in ((601, 200), (600, 400)):
        body = {**asked, "options": {"num_ctx": num_ctx}}
        answer = httpx.post(f"{server.host}/api/chat", json=body, trust_env=False)
        assert answer.status_code == status
    words = json.loads(answer.json()["error"])["error"]
    assert words["message"] == "request (600 tokens) exceeds the available context size (600 tokens), try increasing it"
    assert (words["type"], words["n_prompt_tokens"], words["n_ctx"]) == ("exceed_context_size_error", 600, 600)
    server.always_cuts = True
    assert httpx.post(f"{server.host}/api/chat", json=body, trust_env=False).status_code == 200


@pytest.mark.parametrize(
    ("model", "options", "status", "words"),
    [
        ("absent", {}, 404, "model 'absent' not found"),
        ("plain", {"tools": [{"function": {"name": "clock"}}]}, 400, "does not support tools"),
        ("plain", {"think": True}, 400, "does not support thinking"),
    ],
)
def test_it_refuses_as_ollama_does(
    server: StandIn, client: ollama.Client, model: str, options: dict[str, object], status: int, words: str
) -> None:
    server.models, server.capabilities = ["plain"], ["completion"]
    for stream in (False, True):
        with pytest.raises(ollama.ResponseError, match=words) as refused:
            list(client.chat(model, HI, stream=stream, **options))  # type: ignore[call-overload]
        assert refused.value.status_code == status


def test_a_request_names_a_model(server: StandIn) -> None:
    refused = httpx.post(f"{server.host}/api/chat", json={"messages": HI}, trust_env=False)
    assert (refused.status_code, refused.json()) == (400, {"error": "model is required"})


def test_every_scripted_failure_reaches_the_client(server: StandIn, client: ollama.Client) -> None:
    server.script = Reply(fail=Fail(status=503, words="server busy"))
    with pytest.raises(ollama.ResponseError, match="server busy"):
        client.chat("qwen3:8b", HI)
    server.script = Reply(fail=Fail("line", words="boom", after=1))
    stream = client.chat("qwen3:8b", HI, stream=True)
    assert next(stream).message.content == "Hello"
    with pytest.raises(ollama.ResponseError, match="boom"):
        next(stream)
    server.script = Reply(fail=Fail("cut", after=1))
    stream = client.chat("qwen3:8b", HI, stream=True)
    assert next(stream).message.content == "Hello"
    with pytest.raises(httpx.RemoteProtocolError):
        next(stream)
    server.fail = Fail("line", words="pull model manifest: file does not exist")
    with pytest.raises(ollama.ResponseError, match="file does not exist"):
        list(client.pull("absent", stream=True))
    server.fail = Fail(status=500, words="disk full")
    with pytest.raises(ollama.ResponseError, match="disk full"):
        client.embed("qwen3-embedding:0.6b", "x")


def test_it_holds_a_stream_and_notes_who_leaves(server: StandIn, client: ollama.Client) -> None:
    server.script = Reply(text="one two three", held_after=1)
    stream = client.chat("qwen3:8b", HI, stream=True)
    assert next(stream).message.content == "one"
    threading.Timer(0.05, server.go_on.set).start()
    assert "".join(part.message.content or "" for part in stream) == " two three"
    assert not server.closed_early.is_set()
    server.go_on.clear()
    stream = client.chat("qwen3:8b", HI, stream=True)
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # it is a generator
    assert server.closed_early.wait(5)


def test_nothing_listens_at_an_unused_host() -> None:
    with pytest.raises(ConnectionError):
        ollama.Client(unused_host()).list()
