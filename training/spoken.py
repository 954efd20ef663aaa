"""Requests that are said otherwise: sums in words, companies for their tickers, other languages."""

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from training.actions import Action
from training.jobs import WRITTEN
from training.skills import Request, Skill, make_skill
from training.words import Split, Words, part

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
        elif kind == "query":
            kinds[kind] = words.one(rng, "city")
        else:
            kinds[kind] = parameter.value(rng, words)[0]
    return _of(skill, text.format(**kinds), kinds), language


def part_of(rows: tuple[tuple[str, str, str], ...], split: Split) -> list[tuple[str, str, str]]:
    """The rows of a split, by their words."""
    mine = set(part([text for _, _, text in rows], split))
    return [row for row in rows if row[2] in mine]
