"""What is asked of the memory itself: a table by hand, in both languages, as typed and as speech recognition writes."""

import pytest

from tools.memory_requests import Forget, MemoryRequest, Remember, Tell, request_in

CASES: list[tuple[str, MemoryRequest | None]] = [
    ("Remember that my dog is called Rex.", Remember("my dog is called Rex.")),
    ("please remember my wifi password is tuna42", Remember("my wifi password is tuna42")),
    ("um, don't forget that I'm allergic to nuts", Remember("I'm allergic to nuts")),
    ("Could you make a note that the meeting moved to Friday?", None),  # it is asked, and one must not guess
    ("note that the meeting moved to Friday", Remember("the meeting moved to Friday")),
    ("Keep in mind: I am vegetarian", Remember("I am vegetarian")),
    ("记住我对花生过敏", Remember("我对花生过敏")),
    ("请记住，我的车牌是京A12345。", Remember("我的车牌是京A12345。")),
    ("别忘了我周五要交报告", Remember("我周五要交报告")),
    ("帮我记一下，妈妈的生日是五月六号", Remember("妈妈的生日是五月六号")),
    ("Do you remember my dog's name?", None),
    ("remember when we met", None),
    ("你还记得我住哪儿吗", None),
    ("你记得我叫什么吗", None),
    ("记得我叫什么吗？", None),
    ("I remember the sea", None),
    ("What do you know about me?", Tell()),
    ("what do you remember about me", Tell()),
    ("tell me everything you know about me", Tell()),
    ("你都知道我什么", Tell()),
    ("你记得关于我的哪些事", Tell()),
    ("关于我你知道些什么？", Tell()),
    ("forget that", Forget("")),
    ("Forget it.", Forget("")),
    ("Forget my birthday", Forget("my birthday")),
    ("please forget what I said about my job", Forget("my job")),
    ("delete my address from your memory please", Forget("my address")),
    ("忘掉我的生日", Forget("我的生日")),
    ("把我的生日忘掉", Forget("我的生日")),
    ("请你把我的生日忘掉。", Forget("我的生日")),
    ("把我说过的电话号码都删掉吧", Forget("电话号码")),
    ("忘了吧", Forget("")),
    ("忘掉刚才那个", Forget("")),
    ("把这件事忘了", Forget("")),
    ("forget everything about me", Forget("", everything=True)),
    ("忘记关于我的一切", Forget("", everything=True)),
    ("I forgot my keys", None),
    ("我忘了带钥匙", None),
    ("How do I forget her?", None),
    ("", None),
]


@pytest.mark.parametrize(("said", "asked"), CASES)
def test_what_is_asked_of_the_memory(said: str, asked: MemoryRequest | None) -> None:
    assert request_in(said) == asked
