"""Personal terms: what people say of themselves, as concepts in both languages, so that a question finds other words.

A statement has the concepts of its words and those above them (a cat is a pet); a question wants the very concept it
names, so that a dog does not answer for a cat.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from memory.lexical import Question, normalised, parse_question, stem
from memory.script import IDEOGRAPH

VERSION: Final = 1
"""Goes up whenever a statement has other concepts than before; the terms of all spaces are then made anew."""
MARK: Final = "\ue000"
"""Stands before the name of a concept: of a private area, so that no text holds it and SQLite takes it for a letter."""

_TABLE: Final = """
name: name named call called nickname surname | 名字 姓名 叫做 名叫 叫 称呼 小名 昵称 姓
home: live lives lived living home address reside resident moved move moving relocate apartment flat house | 住 搬到 搬 家住 住址 地址 住处 定居 公寓
work: work works worked working job career profession occupation employer employed company office | 工作 上班 职业 公司 单位 就职 任职 干活 入职
teacher < work: teacher teach professor | 老师 教师 教授
trade < work: accountant architect artist baker barista builder carpenter chef cook designer driver electrician farmer journalist manager mechanic musician pharmacist photographer pilot plumber police salesman scientist soldier translator waiter writer | 会计 建筑师 画家 厨师 设计师 司机 电工 农民 记者 经理 音乐家 药剂师 摄影师 飞行员 警察 销售 科学家 军人 翻译 服务员 作家
doctor < work: doctor physician surgeon | 医生 大夫
nurse < work: nurse | 护士
engineer < work: engineer developer programmer | 工程师 程序员 码农
lawyer < work: lawyer attorney | 律师
study: study student university college school major degree graduated graduate | 上学 学生 大学 学校 专业 毕业 读书 念书 学院
birthday: birthday born | 生日 出生 诞辰
age: age | 年龄 岁 多大
like: love loves loved enjoy favourite favorite prefer fond hobby hobbies keen fan | 喜欢 喜爱 爱好 最爱 爱 偏爱 热爱 兴趣
dislike: hate dislike detest | 讨厌 不喜欢 不爱 受不了 反感
allergy: allergic allergy allergies intolerant intolerance | 过敏 不耐受
pet: pet | 宠物
cat < pet: cat kitten kitty | 猫 猫咪 小猫
dog < pet: dog puppy | 狗 小狗 狗狗
rabbit < pet: rabbit bunny | 兔子
bird < pet: parrot budgie canary | 鹦鹉 鸟
fish < pet: goldfish | 金鱼
hamster < pet: hamster | 仓鼠
family: family relative | 家人 亲人 家里人
partner < family: partner | 伴侣 对象 爱人 另一半 配偶
wife < partner: wife | 妻子 老婆 太太 媳妇
husband < partner: husband | 丈夫 老公 先生
spouse < partner: spouse | 配偶
girlfriend < partner: girlfriend | 女朋友 女友
boyfriend < partner: boyfriend | 男朋友 男友
child < family: child children kid kids | 孩子 小孩 宝宝 娃
son < child: son | 儿子
daughter < child: daughter | 女儿 闺女
parent < family: parent parents | 父母 爸妈 爹妈
mother < parent: mother mom mum mama mommy mummy | 妈妈 母亲 老妈 妈
father < parent: father dad daddy papa | 爸爸 父亲 老爸 爸
sibling < family: sibling siblings | 兄弟姐妹
brother < sibling: brother | 哥哥 弟弟 兄弟 哥
sister < sibling: sister | 姐姐 妹妹 姐妹 姐
grandmother < family: grandmother grandma granny | 奶奶 外婆 姥姥 祖母
grandfather < family: grandfather grandpa | 爷爷 外公 姥爷 祖父
friend: friend buddy | 朋友 好友 闺蜜 哥们
colleague: colleague coworker | 同事
boss: boss supervisor | 老板 上司 领导
car: car drive drives drove driving | 汽车 车子 开车 小车 轿车 车
phone: phone telephone mobile cellphone | 手机 电话
email: email mail | 邮箱 邮件
plate: plate | 车牌
meeting: meeting appointment meet | 会议 开会 约会 见面 碰面 预约 约了 约
doctorvisit < meeting: dentist checkup | 看病 看医生 牙医 体检 看牙
travel: travel traveling trip journey vacation holiday visit visiting visited flight fly flew | 旅行 旅游 出差 度假 出国 机票 航班
wedding: wedding married marry anniversary | 婚礼 结婚 纪念日
food: food dish meal cuisine eat eats eating ate | 食物 吃 菜 饭 美食
drink: drink drinks drinking drank beverage | 喝 饮料
coffee < drink: coffee latte espresso cappuccino | 咖啡 拿铁
tea < drink: tea | 茶
milk < drink: milk | 牛奶
vegetarian: vegetarian vegan | 吃素 素食
sport: sport exercise gym workout | 运动 健身 锻炼
run < sport: run running jog jogging marathon | 跑步 慢跑 马拉松
swim < sport: swim swimming | 游泳
football < sport: football soccer | 足球
basketball < sport: basketball | 篮球
tennis < sport: tennis | 网球
badminton < sport: badminton | 羽毛球
music: music song band singer | 音乐 歌 歌手 乐队
instrument: instrument | 乐器
piano < instrument: piano | 钢琴
guitar < instrument: guitar | 吉他
violin < instrument: violin | 小提琴
movie: movie film cinema | 电影 影片
book: book novel reading | 书 小说 看书
color: color colour | 颜色
red < color: red | 红色
blue < color: blue | 蓝色
green < color: green | 绿色
yellow < color: yellow | 黄色
purple < color: purple | 紫色
black < color: black | 黑色
white < color: white | 白色
pink < color: pink | 粉色 粉红色
orange < color: orange | 橙色
hometown: hometown | 老家 家乡 故乡 来自 籍贯
language: language speak speaks | 语言 会说 讲
medicine: medicine medication pill tablet | 药 吃药 药片
health: illness disease diabetes asthma sick | 生病 疾病 糖尿病 哮喘 病
password: password pin code | 密码 口令
key: key keys | 钥匙
exam: exam test | 考试
learn: learn learning | 学习 学
buy: buy bought purchase purchased | 买
sleep: sleep bed asleep | 睡觉 睡 入睡
wake: wake | 起床 醒
height: tall height | 身高
weight: weigh weight | 体重
"""

_ASKED_ONLY: Final = """
home: city town | 城市
"""

_PHRASES: Final = (
    (r"\bhow old\b|\byears old\b", "age"),
    (r"\bwhere (?:am|was|are|do|is|did) .*\bfrom\b|\b(?:come|comes|came|am|'m|is) from\b|\bborn in\b", "hometown"),
    (r"\b(?:i|we|you|he|she|they) (?:really |also |just |still |don'?t |do not |both )*like\b", "like"),
    (r"\b(?:do|does|did) (?:i|my \w+) (?:really |still )?like\b|\blike (?:best|most|to)\b", "like"),
    (r"\bdon'?t like\b|\bdo not like\b|\bcan'?t stand\b", "dislike"),
    (r"\bfor a living\b|\bmy living\b", "work"),
    (r"\b(?:my name is|i'?m called|call me)\b", "name"),
    (r"\bget up\b|\bwake up\b|\bgets up\b", "wake"),
)
_ASKING: Final = re.compile(
    r"\b(?:do|did|can|could|would) (?:you|i) (?:still |ever |happen to |already )*(?:remember|know|recall|tell|say|said|mention|mentioned)\b"
    r"|\b(?:remind|tell) me\b|\b(?:that )?i(?:'ve| have)? (?:already |once |just )?(?:told|said|mentioned|tell|mention)(?: to)?(?: you)?(?: about)?\b"
    r"|\bremember(?:ed)?\b|\bagain\b|\bi asked you to\b"
    "|(?:你|您)?(?:还|是否)?(?:记得|知道|记不记得|知不知道)|(?:我)?(?:之前|以前|曾经)?(?:跟你|和你|对你|给你|告诉你|有)?(?:说过|提过|提到过|讲过|告诉过你?|聊过)|告诉我|来着|请问"
)


@dataclass(frozen=True, slots=True)
class PersonalQuestion:
    """What a question to the memory asks about."""

    wants: tuple[frozenset[str], ...]
    """For each concept that it names the terms any of which meets it."""
    rest: Question
    """All other content."""

    @property
    def has_content(self) -> bool:
        """Whether it asks about anything."""
        return bool(self.wants) or self.rest.has_content

    @property
    def terms(self) -> tuple[str, ...]:
        """All that is worth looking up, each once."""
        return tuple(dict.fromkeys([*(term for want in self.wants for term in sorted(want)), *self.rest.terms]))


def stated(text: str) -> list[str]:
    """The concepts of a statement, and those above them, as terms."""
    found = {concept for concept, _ in _named(normalised(text))}
    return [MARK + concept for concept in sorted({above for concept in found for above in _ABOVE[concept]})]


def asked(question: str) -> PersonalQuestion:
    """What a question asks about, its everyday words as concepts."""
    text = _ASKING.sub(" ", normalised(question))
    wants: dict[frozenset[str], None] = {}
    for concept, span in _named(text, asked=True):
        word = text[span[0] : span[1]]
        own = {MARK + concept} | ({stem(word)} if word.isascii() and word.isalpha() else set())
        wants[frozenset(own)] = None
        text = text[: span[0]] + " " * len(word) + text[span[1] :]
    return PersonalQuestion(_merged(wants), parse_question(text))


def _merged(wants: dict[frozenset[str], None]) -> tuple[frozenset[str], ...]:
    """Those that want the same concept as one: "what do I like best, my favourite"."""
    found: dict[str, frozenset[str]] = {}
    for want in wants:
        concept = next(term for term in want if term.startswith(MARK))
        found[concept] = found.get(concept, frozenset()) | want
    return tuple(found.values())


def _named(text: str, *, asked: bool = False) -> Iterator[tuple[str, tuple[int, int]]]:
    """The concepts that a normalised text names, and where."""
    for pattern, concept in _PATTERNS:
        for match in pattern.finditer(text):
            yield concept, match.span()
    table = _ASKED if asked else _STATED
    for match in _TOKEN.finditer(text):
        if stem(match.group()) in table:
            yield table[stem(match.group())], match.span()
    for match in _HAN.finditer(text):
        yield _CHINESE[match.group()], match.span()


def _lines(table: str) -> Iterator[tuple[str, str, list[str], list[str]]]:
    for line in table.strip().splitlines():
        head, words = line.split(":")
        concept, _, above = (part.strip() for part in head.partition("<"))
        english, chinese = words.split("|")
        yield concept, above, english.split(), chinese.split()


def _above(concept: str, parents: Mapping[str, str]) -> frozenset[str]:
    found = {concept}
    while concept := parents.get(concept, ""):
        found.add(concept)
    return frozenset(found)


_PARENTS = {concept: above for concept, above, _, _ in _lines(_TABLE)}
_ABOVE = {concept: _above(concept, _PARENTS) for concept in _PARENTS}
_STATED = {stem(word): concept for concept, _, english, _ in _lines(_TABLE) for word in english}
_ASKED = {**{stem(word): concept for concept, _, english, _ in _lines(_ASKED_ONLY) for word in english}, **_STATED}
_CHINESE = {word: concept for concept, _, _, chinese in _lines(_TABLE) for word in chinese}
_HAN = re.compile("|".join(sorted(_CHINESE, key=len, reverse=True)))
_TOKEN = re.compile(rf"(?:(?!{IDEOGRAPH})[^\W_])+")
_PATTERNS = tuple((re.compile(pattern), concept) for pattern, concept in _PHRASES)
