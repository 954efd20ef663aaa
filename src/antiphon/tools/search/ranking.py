"""Which of a few thousand documents fit a query best: Okapi BM25, over words as they stand.

Source: Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009); the idf that is never
negative is Lucene's.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

_K1: Final = 1.2
_B: Final = 0.75
# Words of letters and digits. Scripts without spaces between words are taken letter by letter.
_LETTERS: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_IN_WORD: Final = rf"[^\W_{_LETTERS}]"
_LETTER: Final = re.compile(f"[{_LETTERS}]")
_WORD: Final = re.compile(f"[{_LETTERS}]|{_IN_WORD}+(?:['’]{_IN_WORD}+)*")
_REMEMBERED: Final = 1000
"""Words whose places stay known."""


def words(text: str) -> list[str]:
    """The words of a text, without letter case."""
    return _WORD.findall(text.casefold())


class Ranking:
    """Of texts, by their place in `texts`; built once, asked often.

    A word is counted when somebody first asks for it: counting all words of a thousand texts takes longer than most
    of them are ever asked for. A text's length is that in characters.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [text.casefold() for text in texts]
        self._mean = sum(map(len, self._texts)) / len(self._texts) if self._texts else 0.0
        self._counted: dict[str, list[tuple[int, int]]] = {}

    def best(self, query: str) -> list[int]:
        """The places of the texts that hold a word of the query, the best first; equals in their order."""
        scores: defaultdict[int, float] = defaultdict(float)
        total = len(self._texts)
        for word in dict.fromkeys(words(query)):
            found = self._found(word)
            idf = math.log(1 + (total - len(found) + 0.5) / (len(found) + 0.5))
            for place, times in found:
                spread = _K1 * (1 - _B + _B * len(self._texts[place]) / self._mean)
                scores[place] += idf * times * (_K1 + 1) / (times + spread)
        return sorted(scores, key=lambda place: (-scores[place], place))

    def _found(self, word: str) -> list[tuple[int, int]]:
        """The places of the texts with a word, and how often each has it."""
        found = self._counted.get(word)
        if found is None:
            if len(self._counted) >= _REMEMBERED:
                self._counted.clear()
            found = self._counted[word] = list(_occurrences(word, self._texts))
        return found


def _occurrences(word: str, texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    alone = _LETTER.fullmatch(word)
    # The word comes first, so that the engine looks for its letters alone before it looks around.
    it = re.escape(word)
    whole = re.compile(rf"{it}(?<!{_IN_WORD}{it})(?<!{_IN_WORD}['’]{it})(?!{_IN_WORD}|['’]{_IN_WORD})")
    for place, text in enumerate(texts):
        # Most texts do not have it at all, which is found out a hundred times as fast.
        if word in text:
            times = text.count(word) if alone else len(whole.findall(text))
            if times:
                yield place, times


def passage(text: str, query: str, characters: int) -> str:
    """So many characters of the text, where it holds most of the query's words; from its beginning, if nowhere."""
    wanted = set(words(query))
    hits = [(match.start(), match[0].casefold()) for match in _WORD.finditer(text) if match[0].casefold() in wanted]
    best, most, first = 0, 0, 0
    within: Counter[str] = Counter()
    for start, word in hits:
        within[word] += 1
        while start - hits[first][0] > characters // 2:
            within[hits[first][1]] -= 1
            first += 1
        # Different words count before the same one many times.
        worth = 1000 * sum(1 for times in within.values() if times) + within.total()
        if worth > most:
            best, most = hits[first][0], worth
    # A little of what stands before, from the beginning of a word.
    start = max(0, best - characters // 4)
    if start:
        start = text.find(" ", start) + 1 or start
    return text[start : start + characters]
