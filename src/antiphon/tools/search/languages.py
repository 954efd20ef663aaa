"""Which language to look for a query in: what its letters and the user's country say.

Sources: Unicode character names; CLDR, territory languages (the one that most read, of those with a Wikipedia).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ENGLISH: Final = "en"
_LATIN: Final = "LATIN"


@dataclass(frozen=True, slots=True)
class _Script:
    """Letters. `usual`: the language that most write with them. `countries`: where another one is written so."""

    usual: str
    countries: Mapping[str, str]


def _written(usual: str, countries: str = "") -> _Script:
    return _Script(usual, dict(re.findall("([A-Z]{2}) ([a-z]{2,3})", countries)))


_SCRIPTS: Final[Mapping[str, _Script]] = {
    _LATIN: _written(
        ENGLISH,
        "AL sq;AO pt;AR es;AT de;AZ az;BE nl;BO es;BR pt;CH de;CL es;CO es;CR es;CU es;CZ cs;DE de;DK da;DO es;EC es;"
        "EE et;ES es;FI fi;FR fr;GT es;HN es;HR hr;HU hu;ID id;IS is;IT it;LI de;LT lt;LU fr;LV lv;MC fr;MX es;MY ms;"
        "NI es;NL nl;NO no;PA es;PE es;PL pl;PT pt;PY es;RO ro;SE sv;SI sl;SK sk;SN fr;SV es;TR tr;UY es;UZ uz;VE es;"
        "VN vi",
    ),
    "CYRILLIC": _written("ru", "BG bg;BY be;KG ky;KZ kk;MK mk;MN mn;RS sr;TJ tg;UA uk"),
    "ARABIC": _written("ar", "AF fa;IR fa;PK ur"),
    "DEVANAGARI": _written("hi", "NP ne"),
    "CJK": _written("zh", "JP ja"),
    "HIRAGANA": _written("ja"),
    "KATAKANA": _written("ja"),
    "HANGUL": _written("ko"),
    "HEBREW": _written("he"),
    "GREEK": _written("el"),
    "THAI": _written("th"),
    "GEORGIAN": _written("ka"),
    "ARMENIAN": _written("hy"),
    "BENGALI": _written("bn"),
    "TAMIL": _written("ta"),
    "TELUGU": _written("te"),
    "KANNADA": _written("kn"),
    "MALAYALAM": _written("ml"),
    "GUJARATI": _written("gu"),
    "GURMUKHI": _written("pa"),
    "SINHALA": _written("si"),
    "KHMER": _written("km"),
    "LAO": _written("lo"),
    "MYANMAR": _written("my"),
    "ETHIOPIC": _written("am"),
}

LANGUAGES: Final = frozenset(
    language for script in _SCRIPTS.values() for language in (script.usual, *script.countries.values())
)
"""Every language that can come out."""


def languages_of(text: str, country: str) -> tuple[str, ...]:
    """One or two languages, the likelier first. `country`: two capital letters, or nothing."""
    script = _SCRIPTS[_script(text)]
    likely = script.countries.get(country, script.usual)
    return tuple(dict.fromkeys((likely, script.usual)))


def _script(text: str) -> str:
    """What most letters are. Japanese is told by its kana, however many of its letters are Chinese ones."""
    found = Counter(unicodedata.name(letter, "").partition(" ")[0] for letter in text if letter.isalpha())
    if found["HIRAGANA"] or found["KATAKANA"]:
        return "HIRAGANA"
    return max((name for name in found if name in _SCRIPTS), key=lambda name: found[name], default=_LATIN)
