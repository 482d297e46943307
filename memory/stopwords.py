"""Stop words: what a question is asked with rather than about, in both languages."""

from typing import Final

_ENGLISH: Final = """
    1 a about after again all allow allowed also am an and any anybody anyone anything are as ask at be because been
    before being both but by can cannot could did do does doing don done each either else ever every everyone exactly
    find for from get gets getting give given go going got had happen happens has have having he hello her here hey hi
    him his how i if in into is isn it its just kindly know let like ll many may maybe me mean might mine more most
    much must my need needs no not now of often ok okay on only or other our ours out over per percent please re really
    s say says she should so some somebody someone something still such sure t take takes tell than thank thanks that
    the their them then there these they thing things this those to too up us use used ve very want was we were what
    when where whether which while who whom whose why will with within without won would yes you your yours
    amount big cheap early expensive far fast high kind large late limit long low maximum minimum number quick quickly
    short small soon sort total
"""
_CHINESE: Final = """
    请问 请告诉 告诉 想知道 我想 想问 问一下 一下 什么时候 什么样 为什么 什么 怎么样 怎么办 怎么 怎样 如何
    哪里 哪儿 哪些 哪个 多少钱 多少 多久 多长 多大 多高 多远 多快 几个 几天 几次 几点 几年 几周 几月
    几号 几位 几名 几层 几条 几种
    是不是 是否 能不能 可不可以 可以 能否 会不会 有没有 要不要 需不需要 需要 应该 应当 必须 的话 如果
    我们 你们 他们 她们 咱们 大家 自己 这个 那个 这些 那些 关于 对于 以及 或者 还是 并且 而且 但是 因为 所以 就是 还有
    一共 总共 最多 最少 至少 大概 到底 究竟 时候 谁来 由谁 找谁 是谁 有谁 吗 呢 吧 啊 呀 嘛 谁
"""

WORDS: Final = frozenset(_ENGLISH.split())
"""English, before stemming; with what only asks for a measure ("how late", "what amount"), and the 1 that was "one"."""

PHRASES: Final = tuple(_CHINESE.split())
"""Chinese, and never part of another word."""

CHARACTERS: Final = frozenset(
    "的了是我你您他她它有在和与或及就也还把被让给对从到为会能要想请这那哪几多每个天年月元块钱次得地着过很不没里上下中内以可"
)
"""Chinese characters that weigh nothing by themselves, though they may be part of a word that does."""

_FILLERS: Final = "um uh er hm hmm well excuse actually d didn doesn isn aren oh whose until going come came out"
_LIGHT: Final = """
    another additional altogether already anyway behind between bring count during ever fill full go goes inside keep
    kept look make makes morning move near next outside people person put run runs set show since sort speak speaks
    spoken stand start still take time times try turn under way work works yet
    gone left again together once home back away need done day days hour hours minute minutes week weeks month months
    year years half euro euros dollar dollars pound pounds kilo km kg else instead actually certain able possible own
    小时 分钟 公斤 公里 月份 个月 星期 一个半 个半 最好 合适 应该 除掉 名字 方面 情况 地方 有关 别的 其他
    显示 出现 发生 使用 进行 觉得 看到 知道 准备 打算 东西 事情 问题 办法 目前 一共
"""
_ASKING: Final = """
    不小心 麻烦 帮忙 请教 打听 怎么回事 什么意思 是多少 是什么 干什么 叫什么 现在 那个 嗯 点儿 一点 叫什么名字
    什么名字 哪家 哪位 哪条 哪种 哪款
    才能 就能 最多能 能有 为何
"""

FILLERS: Final = frozenset(_FILLERS.split())
"""What speech is filled with, and what carries grammar beside other words of a question."""

LIGHT: Final = frozenset(_LIGHT.split())
"""Words that go with any subject and so tell little of it."""

ASKING: Final = tuple(_ASKING.split())
"""Chinese phrases that only ask or fill, beside the others."""

LIGHT_CHARACTERS: Final = frozenset("之前后间内外些再又已才最该找掉好出办弄做放去来回走搞点用说看一拿进")
"""Chinese characters of grammar, of counting or of any subject, where they are no part of a known word."""
