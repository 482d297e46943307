"""Personal concepts: everyday words of what people say of themselves, in both languages; a table and nothing else."""

from typing import Final

TABLE: Final = """
name: name named call called nickname surname | 名字 姓名 叫做 名叫 叫 称呼 小名 昵称 姓 起名
home: live lives lived living home address reside resident move moved moving relocate apartment flat house
    | 住 搬到 搬家 搬 家住 住址 地址 住处 定居 公寓
work: work works worked working job jobs career profession occupation employer employed company office business
    | 工作 上班 职业 公司 单位 就职 任职 干活 入职 当上 升职
study: study studies student university college school major degree graduate graduated thesis
    | 上学 学生 大学 学校 专业 毕业 念书 学院 幼儿园 小学 中学 高中
teacher < work: teacher teach teaches taught professor | 老师 教师 教授 教书 教
doctor < work: physician surgeon | 大夫
nurse < work: nurse | 护士
engineer < work: engineer developer programmer | 工程师 程序员 码农
lawyer < work: lawyer attorney | 律师
trade < work: accountant architect artist baker barista builder carpenter chef cook designer driver editor electrician
    farmer journalist librarian manager mechanic musician pharmacist photographer pilot plumber police policeman
    receptionist salesman scientist soldier translator waiter waitress writer
    | 会计 建筑师 画家 厨师 设计师 司机 编辑 电工 农民 记者 经理 馆长 店长 主管 音乐家 药剂师 摄影师 飞行员 警察 销售
    科学家 军人 翻译 服务员 作家 公务员 木工 木匠
retirement: retire retired retirement pension | 退休
birthday: birthday born | 生日 出生 诞辰
age: age | 年龄 岁 多大
like: love loves loved enjoy enjoys favourite favorite prefer prefers fond hobby hobbies keen fan
    | 最喜欢 喜欢 喜爱 爱好 最爱 爱 偏爱 热爱 兴趣 迷上
dislike: hate hates dislike detest | 讨厌 不喜欢 不爱 受不了 反感
avoid: avoid avoids | 忌口 忌
allergy < avoid: allergic allergy allergies intolerant intolerance | 过敏 不耐受
pet: pet pets | 宠物
cat < pet: cat cats kitten kitty | 猫 猫咪 小猫
dog < pet: dog dogs puppy | 狗 小狗 狗狗
rabbit < pet: rabbit bunny | 兔子
bird < pet: parrot budgie canary | 鹦鹉
fish < pet: goldfish | 金鱼
hamster < pet: hamster | 仓鼠
tortoise < pet: tortoise turtle | 乌龟
family: family relative relatives | 家人 亲人 家里人 亲戚
partner < family: partner | 伴侣 对象 爱人 另一半 配偶
wife < partner: wife | 妻子 老婆 太太 媳妇
husband < partner: husband | 丈夫 老公
spouse < partner: spouse | 配偶
girlfriend < partner: girlfriend | 女朋友 女友
boyfriend < partner: boyfriend | 男朋友 男友
child < family: child children kid kids baby | 孩子 小孩 宝宝 娃
twin < child: twin twins | 双胞胎
son < child: son sons | 儿子
daughter < child: daughter daughters | 女儿 闺女
grandchild < family: grandchild grandchildren | 孙辈
grandson < grandchild: grandson | 孙子 外孙
granddaughter < grandchild: granddaughter | 孙女 外孙女 小孙女
parent < family: parent parents | 父母 爸妈 爹妈
mother < parent: mother mom mum mama mommy mummy | 妈妈 母亲 老妈 妈
father < parent: father dad daddy papa | 爸爸 父亲 老爸 爸
sibling < family: sibling siblings | 兄弟姐妹
brother < sibling: brother brothers | 兄弟
elderbrother < brother: | 哥哥
youngerbrother < brother: | 弟弟
sister < sibling: sister sisters | 姐妹
eldersister < sister: | 姐姐
youngersister < sister: | 妹妹
grandparent < family: grandparent grandparents | 祖父母
grandmother < grandparent: grandmother grandma granny | 奶奶 外婆 姥姥 祖母
grandfather < grandparent: grandfather grandpa | 爷爷 外公 姥爷 祖父
aunt < family: aunt auntie | 阿姨 姑姑 姨妈 舅妈 婶婶
uncle < family: uncle | 叔叔 舅舅 姑父 伯伯
cousin < family: cousin | 表哥 表姐 表弟 表妹 堂哥 堂姐 堂弟 堂妹
friend: friend friends buddy | 朋友 好友 闺蜜 哥们 老姐妹
roommate < friend: roommate flatmate housemate | 室友 舍友
neighbour: neighbour neighbor | 邻居
colleague: colleague coworker | 同事
boss: boss supervisor | 老板 上司 领导
car: car cars drive drives drove driving driven | 汽车 车子 开车 小车 轿车 车
bicycle: bicycle bike | 自行车 单车 电动车
train: train | 火车 高铁 动车 列车
bus: bus | 公交车 大巴 巴士
phone: phone telephone mobile cellphone | 手机 电话
email: email mail | 邮箱 邮件
plate: plate registration | 车牌
meeting: meeting appointment meet | 会议 开会 约会 见面 碰面 预约 约了
dentist < meeting: dentist | 牙医 看牙
checkup < meeting: checkup | 看病 看医生 体检
surgery: surgery operation | 手术 开刀
travel: travel travels traveling trip journey vacation holiday visit visiting visited flight fly flew
    | 旅行 旅游 出差 度假 出国 机票 航班
wedding: wedding married marry marrying anniversary | 婚礼 结婚 纪念日
food: food dish meal cuisine eat eats eating ate eaten | 食物 吃 菜 饭 美食
drink: drink drinks drinking drank beverage | 喝 饮料
coffee < drink: coffee latte espresso cappuccino | 咖啡 拿铁
tea < drink: tea | 茶
milk < drink: milk | 牛奶
breakfast < food: breakfast | 早饭 早餐 早点
lunch < food: lunch | 午饭 午餐 中饭
dinner < food: dinner supper | 晚饭 晚餐
vegetarian < avoid: vegetarian vegan | 吃素 素食
sport: sport sports exercise gym workout | 运动 健身 锻炼
run < sport: run runs running jog jogging marathon | 跑步 慢跑 马拉松 半马 全马
swim < sport: swim swims swimming | 游泳
football < sport: football soccer | 足球
basketball < sport: basketball | 篮球
tennis < sport: tennis | 网球
badminton < sport: badminton | 羽毛球
yoga < sport: yoga | 瑜伽
hiking < sport: hike hiking climbing | 爬山 登山 徒步
cycling < sport: cycling | 骑车 骑行
taichi < sport: taichi | 太极拳 太极
skiing < sport: ski skiing | 滑雪
voicepart: | 声部
soprano < voicepart: soprano | 女高音
alto < voicepart: contralto | 女中音 女低音
tenor < voicepart: tenor | 男高音
bass < voicepart: baritone | 男中音 男低音
music: music song songs band singer | 音乐 歌 歌手 乐队
instrument: instrument | 乐器
piano < instrument: piano | 钢琴
guitar < instrument: guitar | 吉他
violin < instrument: violin | 小提琴
cello < instrument: cello | 大提琴
flute < instrument: flute | 长笛 笛子
drum < instrument: drum drums | 鼓
harp < instrument: harp | 竖琴
film: movie film cinema | 电影 影片
book: book books novel reading | 书 小说 看书
color: color colour | 颜色
red < color: red | 红色
blue < color: blue | 蓝色
green < color: green | 绿色
yellow < color: yellow | 黄色
purple < color: purple | 紫色
black < color: black | 黑色
white < color: white | 白色
grey < color: grey gray | 灰色
pink < color: pink | 粉色 粉红色
orange < color: orange | 橙色
silver < color: silver | 银色
fruit: fruit | 水果
hometown: hometown | 老家 家乡 故乡 来自 籍贯
language: language speak speaks spoke | 语言 会说
medicine: medicine medication pill pills tablet tablets | 药 吃药 药片
health: illness disease diabetes asthma sick | 生病 疾病 糖尿病 哮喘
password: password passcode pin code | 密码 口令 门禁码
key: key keys | 钥匙
exam: exam exams test | 考试
learn: learn learning learns lesson lessons course class classes | 学习 学 课 上课 课程
buy: buy bought purchase purchased | 买
sleep: sleep asleep | 睡觉 入睡 睡前 睡觉前
wake: wake woke | 起床
height: tall height | 身高 多高
weight: weigh weight | 体重 多重
pay: salary wage income earn earns | 工资 薪水 收入 月薪 挣 赚
money: money cash pound pounds euro euros dollar dollars yuan quid bucks | 钱 现金 块钱
debt < money: owe owes owed owing debt debts loan borrow borrowed lend lent | 欠 欠款 欠债 债 借 借钱 借款 还钱
wifi: wifi | 无线网 无线网络
weekend: weekend weekends saturday saturdays sunday sundays | 周末 星期六 星期日 星期天 周六 周日 礼拜六 礼拜天
panda: panda | 熊猫
menu: menu | 菜单
flower: flower flowers | 花
"""
"""A line: a concept, `<` and the one above it, its English words, `|`, its Chinese words. A longer Chinese word hides
the shorter ones in it, so that 熊猫 is no 猫."""

PEOPLE: Final = frozenset({"family", "friend", "neighbour", "colleague", "boss", "pet"})
"""Concepts of somebody else than the speaker; all below them are too."""

ASKED_ONLY: Final = """
home: city town | 城市
pet: | 养
"""
"""Words that stand for a concept in a question only: whoever tells it names the thing itself."""

PATTERNS: Final = (
    (
        r"\bhow old\b|\byears old\b|\b(?:is|am|are|was|turns?|turned|i'm|she's|he's) (?:about |nearly "
        r"|almost )?\d{1,3}$",
        "age",
    ),
    (r"\bwhere (?:am|was|are|do|is|did) .*\bfrom\b|\b(?:come|comes|came|am|'m|is) from\b|\bborn in\b", "hometown"),
    (r"\b(?:i|we|you|he|she|they) (?:really |also |just |still |don't |do not |both )*like\b", "like"),
    (r"\b(?:do|does|did) (?:i|my \w+) (?:really |still )?like\b|(?<!'d )(?<!would )\blike (?:best|most|to)\b", "like"),
    (r"\b(?:don't|doesn't|didn't) (?:i|we|my \w+) (?:really )?like\b", "dislike"),
    (r"\bdon't like\b|\bdo not like\b|\bcan't stand\b", "dislike"),
    (
        r"\b(?:can't|cannot|don't|doesn't|never|mustn't|not allowed to|no longer|(?:can|do|does|must|should|may)"
        r"(?: i| we| she| he| they)? not|shouldn't(?: i| we)?|can't (?:i|we|my \w+)) "
        r"(?:eats?|cook|serve|order|use|have any|(?:put|add|mix)"
        r"(?: (?:in|into|on|to)(?: an?| the| my| his| her| their)? \w+)?)\b",
        "avoid",
    ),
    ("(?:不|别|不能|不可以|不要|不该|不会|少)(?:吃|放|加|点(?=[^钟]))", "avoid"),
    (
        r"\b(?:what|which) (?:part|voice) (?:do|does|did) \w+(?: \w+)? sing\b|\bsings? (?:alto|bass|(?:first|second) "
        r"(?:alto|bass))\b",
        "voicepart",
    ),
    (r"\bfor a living\b|\b(?:i|i'm|work) (?:now )?with the\b|\bwork(?:s|ing)? (?:as|for|at)\b", "work"),
    (r"\b(?:my name is|i'm called|call me|i am called)\b", "name"),
    (r"\b(?:get|gets|getting|got) up\b", "wake"),
    (
        r"\b(?:go|going|goes|went|gone|off|away) to the\b|\bthinking of going\b|\b(?:want|wanted|like"
        r"|plan|planning) to (?:go|see)\b",
        "travel",
    ),
    (r"\b(?:share|rent|bought) (?:a|an|the) (?:small |big |new )?(?:flat|house|apartment|room)\b", "home"),
    ("《[^》]+》", "book"),
    ("《[^》]+》", "film"),
    ("《[^》]+》", "music"),
    ("(?:改|想|要|打算|计划|准备|约我|约)[^，。,. ]{0,6}去(?!掉|世|年)|不去了|没去成", "travel"),
    ("(?:在[^，。 ]{1,10}|我|一家[^，。 ]{1,8})当(?!时|然|年|初|成|地|天|前|中)", "work"),
    ("做[^，。 ]{1,4}的(?=[，。 ]|$)|干(?:什么|哪)的", "work"),
)
"""Turns of phrase that stand for a concept, in normalised text."""

MISLEADING: Final = (
    "(?<=[记站停抓拉留忍挡堵关困粘管靠卡稳盯憋愣])住|(?<=[忍禁记拿挡靠撑抓留拦管扛]不)住"
    "|住(?=[了上过]?(?:[0-9一两二三四五六七八九十几半]+个?(?:多)?(?:天|晚|夜|周|星期|礼拜|月))|院|酒店|宾馆|旅馆|民宿)"
)
"""Words that only look like those in the table: 住 after a verb, or for a few nights, is nobody's home."""

PROPER: Final = ((r"\b(?:go|going|went|gone|off|fly|flying|drive|driving|move|moving) to [A-Z]", "travel"),)
"""The same, where capitals tell."""

IRREGULAR: Final = """
be was were been; begin began begun; break broke broken; bring brought; build built; buy bought; catch caught; choose
chose chosen; come came; cost; cut; draw drew drawn; drink drank drunk; drive drove driven; eat ate eaten; fall fell
fallen; feel felt; fight fought; find found; fly flew flown; forget forgot forgotten; get got gotten; give gave given;
go went gone; grow grew grown; hang hung; hear heard; hide hid hidden; hit; hold held; hurt; keep kept; know knew
known; lay laid; lead led; learn learnt; leave left; lend lent; lose lost; make made; mean meant; meet met; pay paid;
put; read; ride rode ridden; ring rang rung; rise rose risen; run ran; say said; see saw seen; sell sold; send sent;
shoot shot; show shown; sing sang sung; sit sat; sleep slept; speak spoke spoken; spend spent; stand stood; steal
stole stolen; swim swam swum; take took taken; teach taught; tell told; think thought; throw threw thrown; understand
understood; wake woke woken; wear wore worn; win won; write wrote written
"""
"""Verbs with the forms that no rule gives."""
