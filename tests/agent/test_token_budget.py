"""What fits into a context: policy on plain numbers, and what is learnt from a server's counts."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agent.preparation import since, turns, window
from agent.token_budget import KEPT, Fit, Scale, TokenBudget, fit, size_of, size_of_messages, size_of_tools
from configs.errors import RequestTooLarge
from tools.knowledge_search import knowledge_search


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 0),
        ("abc", 1),
        ("你好世界", 4),
        ("2026", 4),
        ("25 天", 2 + 1 / 3 + 1),
        ("é", 2 / 3),
        ("🙂", 4 / 3),
        ("\ud83d", 1 / 3),
    ],
)
def test_a_size_is_counted_by_hand(text: str, size: float) -> None:
    assert size_of(text) == pytest.approx(size)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # As byte-pair encodings of the GPT and Qwen families have them.
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("今天天气很好，我们去公园散步吧。", 10),
        ("1234567890", 10),
    ],
)
def test_a_size_is_rather_too_large(text: str, tokens: int) -> None:
    assert tokens <= size_of(text) <= 2 * tokens


def test_messages_cost_more_than_their_text_and_tool_calls_count() -> None:
    call = {"name": "t", "args": {"query": "x" * 300}, "id": "1", "type": "tool_call"}
    assert size_of_messages([HumanMessage("abc"), AIMessage("abc")]) == 2 * (1 + 8)
    assert size_of_messages([AIMessage("", tool_calls=[call])]) > 100
    assert size_of_tools([]) == 0
    assert size_of_tools([knowledge_search]) > 150 + size_of("knowledge_search query") + size_of(str(call["name"]))


@pytest.mark.parametrize(
    ("description", "told", "tokens"),
    [
        (
            "Search the user's notes and return those that fit best, newest first.",
            "What to look for, in the user's own words.",
            64,
        ),
        ("在用户的笔记里搜索，返回最相符的几条，新的在前。", "要找的内容，用用户自己的话。", 74),
    ],
)
def test_tools_cost_a_little_more_than_their_tokens(description: str, told: str, tokens: int) -> None:
    """`tokens` are those of the compact JSON in cl100k_base, the encoding that Qwen's grew from, as tiktoken counts
    them. Frontends offer dozens of tools: what is guessed too high there, no question fits beside.
    """
    query = {"type": "string", "description": told}
    schema = {"type": "object", "properties": {"query": query}, "required": ["query"]}
    function = {"name": "search_notes", "description": description, "parameters": schema}
    many = [{"type": "function", "function": function}] * 10
    assert 10 * tokens <= size_of_tools(many) - 150 <= 1.2 * 10 * tokens


@pytest.mark.parametrize(
    ("fixed", "history", "passages", "limit", "stays"),
    [
        # All fits, to the last token.
        (100, [50, 50], [50], 250, Fit(0, 1)),
        (100, [], [], 100, Fit(0, 0)),
        # Room 120, of which the rest may take 84: 150 and 100 are over it, 50 is not.
        (100, [50, 50, 50], [30], 250, Fit(2, 1)),
        (100, [200], [30], 250, Fit(1, 1)),
        # No room for turns at all; then the last passage goes.
        (100, [50], [60, 60, 60], 250, Fit(1, 2)),
        (240, [5], [20, 20], 250, Fit(1, 0)),
        # The passages go by rank, not by size.
        (100, [], [140, 110, 10], 250, Fit(0, 1)),
        (100, [], [10, 200], 250, Fit(0, 1)),
    ],
)
def test_what_stays(fixed: float, history: list[float], passages: list[float], limit: float, stays: Fit) -> None:
    assert fit(fixed, history, passages, limit) == stays


sizes = st.lists(st.integers(1, 500), max_size=30)


@given(st.integers(0, 2000), sizes, sizes, st.integers(100, 4000))
def test_what_stays_fits_and_nothing_goes_without_need(
    fixed: int, history: list[int], passages: list[int], limit: int
) -> None:
    found = fit(fixed, history, passages, limit)
    left, kept = sum(history[found.dropped :]), sum(passages[: found.passages])
    if fixed <= limit:
        assert fixed + left + kept <= limit
    if fixed + sum(history) + sum(passages) <= limit:
        assert found == Fit(0, len(passages))
    if found.passages < len(passages):
        assert found.dropped == len(history)
    if found.dropped and found.passages == len(passages):
        # One turn more would be over the share that is aimed for.
        room = limit - fixed - sum(passages)
        assert left + history[found.dropped - 1] > KEPT * room


def test_after_turns_went_none_goes_for_a_while() -> None:
    # 100 a turn, room for 1000: at the eleventh 4 go and 7 stay, so 3 more come before the next 4 go.
    history: list[float] = []
    drops: list[int] = []
    for number in range(20):
        history.append(100)
        dropped = fit(0, history, [], 1000).dropped
        del history[:dropped]
        if dropped:
            drops.append(number)
    assert drops == [10, 14, 18]


@pytest.mark.parametrize(
    ("counts", "factor"),
    [
        ([], 1.0),
        ([150], 1.5),
        ([60], 1 - 0.4 / 4),
        ([60, 60], 0.9 - 0.3 / 4),
        ([60, 130], 1.3),
        ([10] * 20, 0.6),
        ([900], 4.0),
    ],
)
def test_the_scale_goes_up_at_once_and_down_by_steps(counts: list[int], factor: float) -> None:
    scale = Scale()
    for counted in counts:
        scale = scale.after(100, counted)
    assert scale.factor == pytest.approx(factor)
    assert scale.tokens(100) >= 100 * factor


def test_a_question_that_cannot_fit_is_refused_with_the_figures() -> None:
    budget = TokenBudget(2000)
    assert budget.fit(900, [], []) == Fit(0, 0)
    with pytest.raises(RequestTooLarge) as refused:
        budget.fit(1000, [], [])
    # 1000 and the margin of 5 %; half of the context is for the reply, which may be no more.
    assert "about 1050 tokens" in refused.value.message
    assert "1000 are free (num_ctx is 2000, 1000 of it for the reply)" in refused.value.message
    assert "num_ctx" in refused.value.hint
    assert "tools" not in refused.value.message + refused.value.hint
    with pytest.raises(RequestTooLarge) as refused:
        budget.fit(1000, [], [], tools=600)
    assert "about 1050 tokens with all that belongs to it, 630 of them for the tools;" in refused.value.message
    assert "offer fewer tools" in refused.value.hint


@pytest.mark.parametrize(
    ("context", "wanted", "kept"), [(8192, None, 1024), (8192, 256, 256), (8192, -1, 1024), (512, 4096, 256)]
)
def test_room_is_kept_for_the_reply(context: int, wanted: int | None, kept: int) -> None:
    assert TokenBudget(context, wanted).reply == kept


@pytest.mark.parametrize(
    ("size", "counted", "cut", "context", "factor"),
    [
        # In a context of 4000.
        (3000, 2400, False, 4000, 0.95),
        # What the context holds, as Ollama cut before 0.30.
        (5000, 4000, True, 4000, 1.25),
        (5000, 3995, True, 4000, 1.25),
        (3200, 4000, True, 4000, 1.25 * 1.25),
        # Half of it and a little, since 0.30: 4000 - (4000 - 4) // 2, and for a model that begins all texts with a
        # token of its own 4000 - (4000 - 5) // 2. Where that was to be expected, it is none.
        (3300, 2002, True, 4000, 4000 / 3300 * 1.25),
        (1000, 2003, True, 4000, 4.0),
        (3300, 2004, False, 4000, 1 - (1 - 2004 / 3300) / 4),
        (2000, 2002, False, 4000, 1.001),
        (2100, 2002, False, 4000, 1 - (1 - 2002 / 2100) / 4),
        # Less than 0.35 of the size, and more than a quarter of the context: another limit holds there.
        (4000, 1300, True, 1300, 1.0),
        # The rest was in the server's cache, or it does not count.
        (4000, 30, False, 4000, 1.0),
        (4000, 0, False, 4000, 1.0),
    ],
)
def test_a_prompt_that_the_server_cut_is_noticed(
    caplog: pytest.LogCaptureFixture, size: float, counted: int, cut: bool, context: int, factor: float
) -> None:
    budget = TokenBudget(4000)
    with caplog.at_level(logging.WARNING):
        budget.learn(size, counted)
    assert bool(caplog.records) == cut
    assert budget.context == context
    assert budget.scale.factor == pytest.approx(factor)


@pytest.mark.parametrize(
    ("oldest", "counted", "factor"),
    [
        # A prompt of size 2800, which Ollama cut to a context of 4000. With 1.6 tokens for each unit it has 4480:
        # without the first message 4160, without the second 1440.
        ([200, 1700, 300], 1440, 1.6),
        # With 1.5 it has 4200: without the first message 1200.
        ([2000], 1200, 1.5),
        # Nothing was cut: with the message the rest would have fitted.
        ([300, 300, 300], 1700, 1 - (1 - 1700 / 2800) / 4),
        # As many as were to be expected.
        ([2000], 2800, 1.0),
        # More than were to be expected: whether it was cut does not matter, the scale goes up.
        ([300, 300, 300], 3900, 3900 / 2800),
    ],
)
def test_a_prompt_without_its_oldest_messages_is_noticed(
    caplog: pytest.LogCaptureFixture, oldest: list[float], counted: int, factor: float
) -> None:
    budget = TokenBudget(4000)
    with caplog.at_level(logging.WARNING):
        budget.learn(2800, counted, oldest)
    assert budget.scale.factor == pytest.approx(factor)
    assert bool(caplog.records) == (factor in (1.6, 1.5))
    assert budget.context == 4000


@pytest.mark.parametrize(
    ("tokens", "told", "context", "factor"),
    [
        # In a context of 4000, for a prompt of size 3000.
        (4500, 4000, 4000, 1.5),
        (0, 0, 4000, 4000 / 3000 * 1.25),
        # The server gives less than was asked for.
        (2600, 2048, 2048, 1 - (1 - 2600 / 3000) / 4),
        (0, 2048, 2048, 1.25),
        (4500, 9000, 4000, 1.5),
    ],
)
def test_a_refusal_makes_the_next_prompt_smaller(tokens: int, told: int, context: int, factor: float) -> None:
    budget = TokenBudget(4000)
    turns = [500.0] * 6
    assert budget.fit(0, turns[:5], []).dropped == 0
    budget.refused(3000, tokens, told)
    assert budget.context == context
    assert budget.scale.factor == pytest.approx(factor)
    dropped = budget.fit(0, turns, []).dropped
    assert 3000 * max(factor, tokens / 3000) * (6 - dropped) / 6 <= context


def human(text: str) -> HumanMessage:
    return HumanMessage(text, id=text)


def test_a_window_drops_more_than_it_must_and_never_the_last_turn() -> None:
    messages: list[AnyMessage] = [m for n in range(6) for m in (human(str(n)), AIMessage(f"a{n}"))]
    assert window(messages, 12) == messages
    # Over 11: seven would stay, and from a question on it is six.
    assert [m.text for m in window(messages, 11)] == ["3", "a3", "4", "a4", "5", "a5"]
    tools: list[AnyMessage] = [ToolMessage("t", tool_call_id=str(n)) for n in range(9)]
    assert window([*messages, human("6"), *tools], 5) == [human("6"), *tools]
    assert window(tools, 5) == tools


def test_messages_are_cut_into_turns_and_from_one_on() -> None:
    messages: list[AnyMessage] = [AIMessage("?"), human("1"), AIMessage("a"), human("2"), human("3"), AIMessage("b")]
    assert [[m.text for m in turn] for turn in turns(messages)] == [["1", "a"], ["2"], ["3", "b"]]
    assert [m.text for m in since(messages, "2")] == ["2", "3", "b"]
    assert since(messages, "gone") == since(messages, None) == messages
