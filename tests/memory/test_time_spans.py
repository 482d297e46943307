from datetime import datetime, timedelta, timezone

import pytest

from memory.time_spans import time_span

SHANGHAI = timezone(timedelta(hours=8))
NOW = datetime(2026, 5, 20, 15, 30, tzinfo=SHANGHAI)
"""A Wednesday."""

SPANS = (
    ("what did I say yesterday", "2026-05-19", "2026-05-20"),
    ("What did I eat last night?", "2026-05-19", "2026-05-20"),
    ("the day before yesterday I told you something", "2026-05-18", "2026-05-19"),
    ("what did I tell you this morning", "2026-05-20", "now"),
    ("What did we talk about last week?", "2026-05-11", "2026-05-18"),
    ("what did I do this week", "2026-05-18", "now"),
    ("the week before last", "2026-05-04", "2026-05-11"),
    ("Where was I last weekend?", "2026-05-16", "2026-05-18"),
    ("what did I say on Monday", "2026-05-18", "2026-05-19"),
    ("what did I say last wednesday", "2026-05-13", "2026-05-14"),
    ("last month", "2026-04-01", "2026-05-01"),
    ("this month", "2026-05-01", "now"),
    ("Where did I live last year?", "2025-01-01", "2026-01-01"),
    ("what have I bought this year", "2026-01-01", "now"),
    ("what did I say in May", "2026-05-01", "now"),
    ("what did I say in january", "2026-01-01", "2026-02-01"),
    ("back in November", "2025-11-01", "2025-12-01"),
    ("in December 2024", "2024-12-01", "2025-01-01"),
    ("in March last year", "2025-03-01", "2025-04-01"),
    ("in 2024", "2024-01-01", "2025-01-01"),
    ("on May 3rd", "2026-05-03", "2026-05-04"),
    ("on the 3rd of May", "2026-05-03", "2026-05-04"),
    ("what was on June 30", "2025-06-30", "2025-07-01"),
    ("three days ago", "2026-05-17", "2026-05-18"),
    ("a week ago", "2026-05-10", "2026-05-17"),
    ("in the last 3 days", "2026-05-17", "now"),
    ("over the past week", "2026-05-13", "now"),
    ("我昨天说了什么", "2026-05-19", "2026-05-20"),
    ("昨天晚上我吃了什么？", "2026-05-19", "2026-05-20"),
    ("前天我去哪儿了", "2026-05-18", "2026-05-19"),
    ("今天我说过什么", "2026-05-20", "now"),
    ("刚才我说了什么", "2026-05-20", "now"),
    ("上周我做了什么", "2026-05-11", "2026-05-18"),
    ("上个星期我说了什么", "2026-05-11", "2026-05-18"),
    ("上上周", "2026-05-04", "2026-05-11"),
    ("上周五我去哪儿了", "2026-05-15", "2026-05-16"),
    ("上星期天", "2026-05-17", "2026-05-18"),
    ("上周末", "2026-05-16", "2026-05-18"),
    ("这周我说了什么", "2026-05-18", "now"),
    ("上个月", "2026-04-01", "2026-05-01"),
    ("这个月", "2026-05-01", "now"),
    ("去年我住在哪里", "2025-01-01", "2026-01-01"),
    ("前年", "2024-01-01", "2025-01-01"),
    ("今年我买了什么", "2026-01-01", "now"),
    ("五月我说要去哪里", "2026-05-01", "now"),
    ("3月份的时候我住在哪里", "2026-03-01", "2026-04-01"),
    ("十一月我说过什么", "2025-11-01", "2025-12-01"),
    ("去年三月", "2025-03-01", "2025-04-01"),
    ("2024年12月", "2024-12-01", "2025-01-01"),
    ("2024年我在哪里", "2024-01-01", "2025-01-01"),
    ("五月三号我说了什么", "2026-05-03", "2026-05-04"),
    ("5月3日", "2026-05-03", "2026-05-04"),
    ("十二月二十五日", "2025-12-25", "2025-12-26"),
    ("三天前", "2026-05-17", "2026-05-18"),
    ("两个月前", "2026-03-06", "2026-04-06"),
    ("最近三天我说了什么", "2026-05-17", "now"),
)


@pytest.mark.parametrize(("question", "begin", "end"), SPANS)
def test_a_past_time_is_found(question: str, begin: str, end: str) -> None:
    span = time_span(question, NOW)
    assert span is not None
    assert span.begin == datetime.fromisoformat(begin).replace(tzinfo=SHANGHAI)
    if end == "now":
        assert NOW - timedelta(seconds=1) < span.end <= NOW + timedelta(seconds=1)
    else:
        assert span.end == datetime.fromisoformat(end).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "question",
    [
        "where do I live",
        "may I ask you something",
        "march on",
        "what will I do tomorrow",
        "next week",
        "in 2031",
        "I'm fifteen years old",
        "on the 45th of May",
        "我住在哪里",
        "明天我要做什么",
        "下周我去哪里",
        "十三月",
        "我的月薪是多少",
    ],
)
def test_no_time_and_times_to_come_are_none(question: str) -> None:
    assert time_span(question, NOW) is None


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("Where did I live last year?", "Where did I live ?"),
        ("五月我说要去哪里", "我说要去哪里"),
        ("what did I eat three days ago", "what did I eat"),
    ],
)
def test_the_question_is_left_without_the_time(question: str, rest: str) -> None:
    span = time_span(question, NOW)
    assert span is not None
    assert span.rest.split() == rest.split()
