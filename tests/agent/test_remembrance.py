from pathlib import Path

import pytest

from agent.assistant import open_assistant
from agent.remembrance import told_besides
from configs.settings import load_settings
from memory.remembered import Space
from tools.memory_requests import Forget, request_in, said_besides


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("I got a new locker, number 145. Forget the combination of the old one.", ["I got a new locker, number 145."]),
        ("我换了新柜子，是145号。把旧柜子的密码忘掉。", []),
        ("我搬到杭州了。把我的车牌忘掉。", ["我搬到杭州了。"]),
        ("My password is 4711. Forget my passcode.", []),
        ("My PIN is 4711. It's a secret. Forget it.", []),
        ("My PIN is 4711, forget it.", []),
        ("Forget the door code. I wrote 4711 on the wall.", []),
        ("It opens at nine. Forget the door code.", []),
        ("那是4711。请忘掉门禁码。", []),
        ("Forget that.", []),
        ("What time is it? Forget my old phone number.", []),
    ],
)
def test_what_a_turn_tells_besides_what_it_wants_forgotten(text: str, kept: list[str]) -> None:
    request = request_in(text)
    assert isinstance(request, Forget)
    assert told_besides(text, request) == kept


@pytest.mark.parametrize(
    ("text", "besides"),
    [
        ("保险柜换了新的，以前那个号码你删掉吧。", "保险柜 以前那个号码"),
        ("项链已经送出去了，项链的事你可以删掉了。", ""),
        ("I have a new locker, so forget the wifi password.", ""),
        ("I've squared things with Alun, so forget about the money I owed him.", "with Alun the money I owed him"),
    ],
)
def test_what_is_to_be_forgotten_may_be_told_by_the_rest_of_the_turn(text: str, besides: str) -> None:
    request = request_in(text)
    assert isinstance(request, Forget)
    assert " ".join(said_besides(text, request).split()) == besides


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("told", "asked", "left"),
    [
        ("My locker is number 212.", "I have a new locker, number 145. Forget the wifi password.", True),
        ("My locker is number 212.", "I have a new locker, so forget the wifi password.", True),
        ("I live in Leeds.", "I moved to York. Forget that number.", True),
        ("I owe my brother Alun three hundred pounds.", "I paid Alun, so forget about the money I owed him.", False),
        ("保险柜的号码是左24右61。", "保险柜换了新的，以前那个号码你删掉吧。", False),
        ("我在银行上班。", "我换工作了。把无线网密码忘掉。", True),
    ],
)
async def test_only_what_is_meant_is_forgotten(data_folder: Path, told: str, asked: str, left: bool) -> None:
    settings = load_settings(data=data_folder, chat={"engine": "extractive"}, embeddings={"engine": "hashed"})
    async with open_assistant(settings, hears=False, speaks=False) as assistant:
        await assistant.ask(text=told, user="ann", speak=False)
        await assistant.store.memories.catch_up()
        await assistant.ask(text=asked, user="ann", speak=False)
        kept = [memory.text for memory in await assistant.store.memories.list(Space("ann", ""))]
    assert (told in kept) is left
