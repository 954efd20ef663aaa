"""Requests that are said otherwise: sums in words, companies for their tickers, other languages."""

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from training.corpus.actions import Action
from training.corpus.jobs import WRITTEN
from training.corpus.skills import Request, Skill, make_skill
from training.corpus.words import Split, Words, part

_SUMS: Final[dict[Split, tuple[tuple[str, str], ...]]] = {
    "train": (
        ("What's the total revenue if we sold {a} units at ${b} each?", "{a} * {b}"),
        ("How much do {a} {p}s cost at ${b} each?", "{a} * {b}"),
        ("We sold {a} units of product {X} at ${b} each. What is the revenue?", "{a} * {b}"),
        ("I earn ${a} a month. How much is that in {c} months?", "{a} * {c}"),
        ("{a} people share ${b}. How much does each one get?", "{b} / {a}"),
        ("What is {a} plus {b}?", "{a} + {b}"),
        ("What is {a} minus {c}?", "{a} - {c}"),
        ("What is {a} times {b}?", "{a} * {b}"),
        ("What is {a} divided by {c}?", "{a} / {c}"),
        ("How much is {a} multiplied by {b}, plus {c}?", "{a} * {b} + {c}"),
        ("Add {a} and {b}.", "{a} + {b}"),
        ("Subtract {c} from {a}.", "{a} - {c}"),
        ("What is {c} percent of {a}?", "{a} * {c} / 100"),
        ("What is {c}% of {a}?", "{a} * {c} / 100"),
        ("What is the square of {a}?", "{a} * {a}"),
        ("I drove {a} km in {c} hours. How fast was I on average?", "{a} / {c}"),
        ("A box holds {c} bottles. How many bottles are in {a} boxes?", "{a} * {c}"),
        ("If I read {c} pages a day, how many pages is that in {a} days?", "{c} * {a}"),
        ("The bill is ${a} and we were charged ${c} for service. What is the total?", "{a} + {c}"),
        ("I had ${a} and spent ${c}. How much do I have now?", "{a} - {c}"),
        ("{a} students came, and then {c} went home. How many stayed?", "{a} - {c}"),
        ("There are {a} seats, and {c} are taken. How many are free?", "{a} - {c}"),
        ("I baked {a} cookies and gave {c} away. How many do I have?", "{a} - {c}"),
        ("A train with {a} people stops and {c} get off. How many are on it now?", "{a} - {c}"),
        ("The price was ${a} and is now ${c} lower. What is the new price?", "{a} - {c}"),
        ("I'm {c} and my grandmother is {a}. What is the difference?", "{a} - {c}"),
        ("A coffee costs ${b}. How much do I pay for {c}?", "{c} * {b}"),
        ("One {p} eats {c} kg a week. How much do {a} of them eat?", "{a} * {c}"),
        ("Each of {a} boxes weighs {b} kg. What do they weigh together?", "{a} * {b}"),
        ("We pay {c} workers ${a} each. What does that come to?", "{c} * {a}"),
        ("I run {b} miles every day. How many is that after {c} days?", "{b} * {c}"),
        ("A page has {a} words. How many words have {c} pages?", "{a} * {c}"),
        ("The rent is ${a} a month. What do I pay in {c} months?", "{a} * {c}"),
        ("{a} bottles at {b} dollars, please. What's the total?", "{a} * {b}"),
        ("Multiply {a} and {b}.", "{a} * {b}"),
        ("Please multiply {a} with {c}.", "{a} * {c}"),
        ("What's {a} times {b} times {c}?", "{a} * {b} * {c}"),
        ("Double {a}.", "{a} * 2"),
        ("What is half of {a}?", "{a} / 2"),
        ("What is a third of {a}?", "{a} / 3"),
        ("Divide {a} by {c}.", "{a} / {c}"),
        ("Share {a} candies among {c} children. How many does each get?", "{a} / {c}"),
        ("A rope of {a} meters is cut into {c} equal pieces. How long is each?", "{a} / {c}"),
        ("I paid ${a} for {c} tickets. What was the price of one?", "{a} / {c}"),
        ("We made {a} km with {c} liters. How far do we get with one liter?", "{a} / {c}"),
        ("What is the average of {a} and {b}?", "({a} + {b}) / 2"),
        ("What is the average of {a}, {b} and {c}?", "({a} + {b} + {c}) / 3"),
        ("I bought things for ${a}, ${b} and ${c}. What did I spend?", "{a} + {b} + {c}"),
        ("What do {a}, {b} and {c} come to?", "{a} + {b} + {c}"),
        ("Add {a}, {b} and {c} together.", "{a} + {b} + {c}"),
        ("What is the sum of {a} and {c}?", "{a} + {c}"),
        ("{a} guests are here and {c} more will come. How many is that?", "{a} + {c}"),
        ("I have {a} {p}s and get {c} more. How many do I have then?", "{a} + {c}"),
        ("It is {a} degrees, and will be {c} degrees warmer. How warm will it be?", "{a} + {c}"),
        ("What is {a} to the power of 2?", "{a} ** 2"),
        ("A field is {a} m long and {b} m wide. How large is it?", "{a} * {b}"),
        ("How many hours are {c} days?", "{c} * 24"),
        ("How many minutes are {c} hours?", "{c} * 60"),
        ("How many cents are {a} dollars?", "{a} * 100"),
        ("A shirt of ${a} is {c}% off. How much do I save?", "{a} * {c} / 100"),
        ("I leave a tip of {c}% on ${a}. How much is that?", "{a} * {c} / 100"),
        ("Take {c} away from {a}.", "{a} - {c}"),
        ("If x is {a}, what is x + {c}?", "{a} + {c}"),
    ),
    "held": (
        ("A ticket costs ${b}. What do {a} tickets cost?", "{a} * {b}"),
        ("There were {a} apples, and {c} were eaten. How many are left?", "{a} - {c}"),
        ("What do you get when you multiply {a} by {b}?", "{a} * {b}"),
        ("Sum up {a}, {b} and {c}.", "{a} + {b} + {c}"),
    ),
}  # fmt: skip

_TICKERS: Final = {
    "Apple": "AAPL", "Microsoft": "MSFT", "Google": "GOOG", "Amazon": "AMZN", "Tesla": "TSLA", "Nvidia": "NVDA", "Meta": "META",
    "Netflix": "NFLX", "Intel": "INTC", "IBM": "IBM", "Oracle": "ORCL", "Disney": "DIS", "Nike": "NKE", "Coca-Cola": "KO",
    "Walmart": "WMT", "Ford": "F", "Boeing": "BA", "Pfizer": "PFE", "Visa": "V", "the S&P 500": "^GSPC", "the Dow Jones": "^DJI",
}  # fmt: skip

_PLACES: Final = {
    "zh-Hant": (
        "巴黎",
        "倫敦",
        "東京",
        "臺北",
        "紐約",
        "舊金山",
        "柏林",
        "羅馬",
        "首爾",
        "香港",
        "新加坡",
        "曼谷",
        "上海",
        "雪梨",
        "高雄",
        "維也納",
        "馬德里",
    ),
    "zh-Hans": (
        "巴黎",
        "伦敦",
        "东京",
        "北京",
        "纽约",
        "旧金山",
        "柏林",
        "罗马",
        "首尔",
        "深圳",
        "新加坡",
        "曼谷",
        "上海",
        "悉尼",
        "广州",
        "成都",
        "马德里",
    ),
    "ja": (
        "東京",
        "大阪",
        "京都",
        "札幌",
        "パリ",
        "ロンドン",
        "ベルリン",
        "ニューヨーク",
        "福岡",
        "名古屋",
        "ソウル",
    ),
}

_SIGNS: Final = {
    "zh-Hant": "山水木石田川口林森金玉白黑青紅東西南北中上下大小高長平安和光明星月日雲雨風雪花草竹松海湖江河島谷城鎮村門橋路寶龍鳳馬羊牛魚鳥龜德仁義禮智信福壽康寧豐嘉興盛永新古陽陰清波泉溪",
    "zh-Hans": "山水木石田川口林森金玉白黑青红东西南北中上下大小高长平安和光明星月日云雨风雪花草竹松海湖江河岛谷城镇村门桥路宝龙凤马羊牛鱼鸟龟德仁义礼智信福寿康宁丰嘉兴盛永新古阳阴清波泉溪",
    "ja": "山水木石田川口林森金玉白黒青赤東西南北中上下大小高長平安和光明星月日雲雨風雪花草竹松海湖江河島谷城町村門橋アイウエオカキクケコサシスセソタチツテトナニノハヒフホマミムメモヤユヨラリルレロワン",
}  # fmt: skip
"""Of which places are invented, so that such names are copied, sign by sign."""

_TOPICS: Final = {
    "zh-Hant": ("量子計算", "太陽能", "咖啡烘焙", "機器學習", "登山", "電動車", "日本文學", "海洋生物"),
    "zh-Hans": ("量子计算", "太阳能", "咖啡烘焙", "机器学习", "登山", "电动车", "中国历史", "海洋生物"),
    "ja": ("量子コンピュータ", "太陽光発電", "機械学習", "登山", "日本文学"),
}

_FOREIGN: Final[tuple[tuple[str, str, str], ...]] = (
    # language, the action's noun, words with {slot}
    ("zh-Hant", "weather", "{city}的天氣怎麼樣?"), ("zh-Hant", "weather", "{city}現在的天氣如何?"), ("zh-Hant", "weather", "請告訴我{city}的天氣。"),
    ("zh-Hant", "weather", "{city}今天會下雨嗎?"), ("zh-Hant", "time", "{city}現在幾點?"), ("zh-Hant", "time", "請問{city}的時間?"),
    ("zh-Hant", "web", "請搜尋{query}。"), ("zh-Hant", "web", "幫我查一下{query}。"), ("zh-Hant", "web", "我想知道關於{query}的資訊"),
    ("zh-Hant", "expression", "{expression}等於多少?"), ("zh-Hant", "expression", "請計算{expression}。"), ("zh-Hant", "stock_price", "{ticker}的股價是多少?"),
    ("zh-Hans", "weather", "{city}的天气怎么样?"), ("zh-Hans", "weather", "{city}现在的天气如何?"), ("zh-Hans", "weather", "今天{city}冷不冷?"),
    ("zh-Hans", "time", "{city}现在几点?"), ("zh-Hans", "web", "请搜索{query}。"), ("zh-Hans", "web", "帮我查一下{query}。"),
    ("zh-Hans", "expression", "{expression}等于多少?"), ("zh-Hans", "expression", "请计算{expression}。"), ("zh-Hans", "stock_price", "{ticker}的股价是多少?"),
    ("ja", "weather", "{city}の天気はどうですか?"), ("ja", "weather", "{city}の天気を教えてください。"), ("ja", "time", "{city}は今何時ですか?"),
    ("ja", "web", "{query}について検索してください。"), ("ja", "expression", "{expression}を計算してください。"),
    ("es", "weather", "¿Qué tiempo hace en {city}?"), ("es", "weather", "¿Cómo está el clima en {city}?"), ("es", "weather", "Dime el tiempo en {city}, por favor."),
    ("es", "time", "¿Qué hora es en {city}?"), ("es", "web", "Busca información sobre {query}."), ("es", "expression", "¿Cuánto es {expression}?"),
    ("es", "stock_price", "¿A cuánto está la acción de {ticker}?"), ("es", "file", "Abre el archivo {path}."),
    ("fr", "weather", "Quel temps fait-il à {city} ?"), ("fr", "weather", "Donne-moi la météo à {city}."), ("fr", "time", "Quelle heure est-il à {city} ?"),
    ("fr", "web", "Cherche des informations sur {query}."), ("fr", "expression", "Combien font {expression} ?"), ("fr", "stock_price", "Quel est le cours de {ticker} ?"),
    ("de", "weather", "Wie ist das Wetter in {city}?"), ("de", "weather", "Regnet es gerade in {city}?"), ("de", "weather", "Sag mir bitte das Wetter in {city}."),
    ("de", "time", "Wie spät ist es in {city}?"), ("de", "web", "Suche nach {query}."), ("de", "expression", "Was ergibt {expression}?"),
    ("de", "stock_price", "Wie steht die Aktie {ticker}?"), ("de", "file", "Öffne die Datei {path}."),
    ("pt", "weather", "Como está o tempo em {city}?"), ("pt", "time", "Que horas são em {city}?"), ("pt", "web", "Pesquise sobre {query}."),
    ("it", "weather", "Che tempo fa a {city}?"), ("it", "time", "Che ore sono a {city}?"), ("it", "web", "Cerca informazioni su {query}."),
    ("zh-Hant", "weather", "{city}今天熱不熱?"), ("zh-Hant", "weather", "我想知道{city}的天氣"), ("zh-Hant", "weather", "幫我看看{city}的天氣"),
    ("zh-Hant", "weather", "去{city}要帶傘嗎?"), ("zh-Hant", "weather", "查詢{city}天氣"), ("zh-Hant", "web", "搜尋一下{query}"),
    ("zh-Hant", "web", "有沒有{query}的資料?"), ("zh-Hant", "web", "上網找{query}"), ("zh-Hant", "expression", "{expression}是多少?"),
    ("zh-Hant", "expression", "幫我算{expression}"), ("zh-Hant", "stock_price", "查一下{ticker}的股價"), ("zh-Hant", "stock_price", "{ticker}現在多少錢?"),
    ("zh-Hant", "file", "打開{path}。"), ("zh-Hans", "weather", "{city}今天热不热?"), ("zh-Hans", "weather", "{city}的气温是多少?"),
    ("zh-Hans", "weather", "帮我看看{city}的天气"), ("zh-Hans", "weather", "去{city}要带伞吗?"), ("zh-Hans", "weather", "查询{city}天气"),
    ("zh-Hans", "time", "现在{city}是几点钟?"), ("zh-Hans", "time", "告诉我{city}现在的时间"), ("zh-Hans", "web", "搜索一下{query}"),
    ("zh-Hans", "web", "有没有{query}的资料?"), ("zh-Hans", "web", "上网找{query}"), ("zh-Hans", "expression", "{expression}是多少?"),
    ("zh-Hans", "stock_price", "查一下{ticker}的股价"), ("ja", "weather", "{city}は今日雨ですか?"), ("ja", "weather", "{city}は暑いですか?"),
    ("ja", "weather", "今の{city}の気温は?"), ("ja", "weather", "{city}の天気を調べて"), ("ja", "time", "今{city}では何時?"), ("ja", "web", "{query}を調べてください。"),
    ("ja", "web", "{query}の情報が欲しい"), ("ja", "stock_price", "{ticker}の株価はいくらですか?"), ("ja", "file", "{path}を開いてください。"),
    ("es", "weather", "¿Llueve en {city}?"), ("es", "weather", "Quiero saber el tiempo de {city}."), ("es", "time", "Dime la hora de {city}."),
    ("es", "time", "¿Me dices qué hora es en {city}?"), ("es", "web", "Busca {query} en internet."),
    ("es", "web", "¿Qué hay de nuevo sobre {query}?"), ("es", "expression", "¿Me puedes calcular {expression}?"),
    ("es", "stock_price", "Precio de {ticker}, por favor."), ("es", "file", "Lee el archivo {path}."),
    ("fr", "weather", "Est-ce qu'il pleut à {city} ?"), ("fr", "weather", "Il fait froid à {city} ?"),
    ("fr", "weather", "Je voudrais connaître la météo de {city}."), ("fr", "weather", "Quelle est la température à {city} ?"),
    ("fr", "time", "Il est quelle heure à {city} ?"), ("fr", "web", "Trouve-moi des pages sur {query}."), ("fr", "web", "Recherche {query}."),
    ("fr", "expression", "Calcule {expression}."), ("fr", "expression", "Ça fait combien, {expression} ?"),
    ("fr", "stock_price", "Combien vaut {ticker} ?"), ("fr", "file", "Ouvre le fichier {path}."),
    ("de", "weather", "Brauche ich in {city} einen Schirm?"), ("de", "weather", "Wie warm ist es in {city}?"),
    ("de", "weather", "Ist es kalt in {city}?"), ("de", "weather", "Ich möchte das Wetter in {city} wissen."),
    ("de", "time", "Wie viel Uhr ist es in {city}?"), ("de", "web", "Finde etwas über {query}."), ("de", "web", "Was gibt es Neues zu {query}?"),
    ("de", "expression", "Berechne {expression}."), ("de", "expression", "Wie viel ist {expression}?"),
    ("de", "stock_price", "Was kostet {ticker} gerade?"), ("de", "file", "Lies {path} vor."), ("pt", "weather", "Está chovendo em {city}?"),
    ("pt", "weather", "Quero saber o tempo em {city}."), ("pt", "time", "Me diga a hora em {city}."), ("pt", "expression", "Calcule {expression}."),
    ("pt", "file", "Abra o arquivo {path}."), ("pt", "stock_price", "Qual é o preço de {ticker}?"), ("it", "weather", "Piove a {city}?"),
    ("it", "weather", "Fa freddo a {city}?"), ("it", "weather", "Dimmi il tempo a {city}."), ("it", "time", "Dimmi l'ora di {city}."),
    ("it", "expression", "Quanto fa {expression}?"), ("it", "expression", "Calcola {expression}."), ("it", "file", "Apri il file {path}."),
    ("it", "stock_price", "Quanto vale {ticker}?"),
)  # fmt: skip

ANSWERED: Final = {
    "zh-Hant": "結果如下:{r}", "zh-Hans": "结果如下:{r}", "ja": "結果は次のとおりです:{r}", "es": "Este es el resultado: {r}",
    "fr": "Voici le résultat : {r}", "de": "Das Ergebnis: {r}", "pt": "Aqui está o resultado: {r}", "it": "Ecco il risultato: {r}",
}  # fmt: skip
"""How a result is told in each language."""

Talk = tuple[Request, str | None]
"""A request, and the language of its answer where it is not English."""


def otherwise(rng: random.Random, words: Words) -> Talk:
    """A request of one of these kinds, with its skill."""
    kind = rng.choice([_sum, _sum, _ticker, _foreign, _foreign, _foreign])
    return kind(rng, words)


def _action(noun: str, fits: Callable[[Action], bool] = lambda _: True) -> Action:
    return next(action for action in WRITTEN["train"] if action.noun == noun and fits(action))


def _skill(noun: str, rng: random.Random, words: Words) -> Skill:
    return make_skill(_action(noun), rng, words)


def _of(skill: Skill, text: str, by_kind: Mapping[str, Any]) -> Request:
    named = {
        parameter.name: by_kind[parameter.slot.kind]
        for parameter in skill.parameters
        if parameter.slot.kind in by_kind
    }
    return Request(skill, text, named, {name: str(value) for name, value in named.items()})


def _sum(rng: random.Random, words: Words) -> Talk:
    text, expression = rng.choice(_SUMS[words.split])
    numbers = {
        "a": str(rng.choice([rng.randint(2, 999), rng.randint(2, 99) * 10])),
        "b": str(rng.choice([rng.randint(2, 99), round(rng.uniform(1, 60), 2), 5 * rng.randint(1, 40)])),
        "c": str(rng.randint(2, 60)),
    }
    said = text.format(**numbers, p=words.one(rng, "animal"), X=rng.choice("ABCDXYZ"))
    return _of(_skill("expression", rng, words), said, {"expression": expression.format(**numbers)}), None


def _ticker(rng: random.Random, words: Words) -> Talk:
    name = rng.choice(part(tuple(_TICKERS), words.split))
    said = rng.choice(
        [
            "What's {n} at today?",
            "What's the stock price of {n}?",
            "How is {n} doing on the stock market?",
            "What does a share of {n} cost?",
        ]
    )
    return _of(_skill("stock_price", rng, words), said.format(n=name), {"ticker": _TICKERS[name]}), None


def _foreign(rng: random.Random, words: Words) -> Talk:
    language, noun, text = rng.choice(part_of(_FOREIGN, words.split))
    skill = _skill(noun, rng, words)
    kinds: dict[str, Any] = {}
    for parameter in skill.parameters:
        kind = parameter.slot.kind
        if f"{{{kind}}}" not in text:
            continue
        local = {"city": _PLACES, "query": _TOPICS}.get(kind, {}).get(language)
        if local and (kind == "query" or rng.random() < 0.85):
            kinds[kind] = rng.choice(part(local, words.split))
            if words.split == "train" and rng.random() < 0.5:
                kinds[kind] = "".join(rng.choices(_SIGNS[language], k=rng.randint(2, 4)))
        elif kind == "query":
            kinds[kind] = words.one(rng, "city")
        else:
            kinds[kind] = parameter.value(rng, words)[0]
    return _of(skill, text.format(**kinds), kinds), language


def part_of(rows: tuple[tuple[str, str, str], ...], split: Split) -> list[tuple[str, str, str]]:
    """The rows of a split, by their words."""
    mine = set(part([text for _, _, text in rows], split))
    return [row for row in rows if row[2] in mine]
