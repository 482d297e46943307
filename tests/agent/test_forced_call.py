"""A call that a client insists on: the schema that a server gets, and the call in a reply."""

import json
from typing import Any

import pytest

from agent.forced_call import call_in, shape_of
from configs.errors import EngineFailed

PLACE = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
WEATHER: dict[str, Any] = {"type": "function", "function": {"name": "weather", "parameters": PLACE}}
CLOCK: dict[str, Any] = {"type": "function", "function": {"name": "clock"}}


def test_one_tool_s_arguments_are_the_whole_reply() -> None:
    assert shape_of([WEATHER]) == PLACE
    assert shape_of([CLOCK]) == {"type": "object", "properties": {}}
    assert call_in('{"place": "Graz"}', [WEATHER]) == ("weather", {"place": "Graz"})


def test_of_several_one_is_named() -> None:
    options = shape_of([WEATHER, CLOCK])["anyOf"]
    assert [option["properties"]["name"] for option in options] == [{"const": "weather"}, {"const": "clock"}]
    assert options[0]["properties"]["arguments"] == PLACE
    said = json.dumps({"name": "clock", "arguments": {}})
    assert call_in(said, [WEATHER, CLOCK]) == ("clock", {})


@pytest.mark.parametrize(
    ("said", "tools"),
    [
        ('{"place": "Gr', [WEATHER]),
        ("", [WEATHER]),
        ('["Graz"]', [WEATHER]),
        ('{"name": "rain", "arguments": {}}', [WEATHER, CLOCK]),
        ('{"place": "Graz"}', [WEATHER, CLOCK]),
        ('{"name": ["clock"], "arguments": {}}', [WEATHER, CLOCK]),
        ('{"name": "clock", "arguments": "none"}', [WEATHER, CLOCK]),
    ],
)
def test_what_is_no_call_is_a_failure(said: str, tools: list[dict[str, Any]]) -> None:
    with pytest.raises(EngineFailed, match="no call of"):
        call_in(said, tools)
