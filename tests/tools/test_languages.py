"""Which language a query is looked for in."""

import pytest

from antiphon.tools.search.languages import LANGUAGES, languages_of


@pytest.mark.promise("web-tools.languages")
@pytest.mark.parametrize(
    ("text", "country", "languages"),
    [
        ("quantum computing", "", ("en",)),
        ("quantum computing", "US", ("en",)),
        ("Quantencomputer", "DE", ("de", "en")),
        ("informática cuántica", "AR", ("es", "en")),
        ("квантовый компьютер", "", ("ru",)),
        ("квантовий комп'ютер", "UA", ("uk", "ru")),
        ("квантовый компьютер IBM", "DE", ("ru",)),
        ("量子计算机", "", ("zh",)),
        ("量子計算機", "JP", ("ja", "zh")),
        ("量子コンピュータとは", "", ("ja",)),
        ("量子計算機の歴史", "US", ("ja",)),
        ("양자 컴퓨터", "", ("ko",)),
        ("حوسبة كمومية", "EG", ("ar",)),
        ("رایانش کوانتومی", "IR", ("fa", "ar")),
        ("क्वांटम कंप्यूटर", "IN", ("hi",)),
        ("מחשב קוונטי", "", ("he",)),
        ("κβαντικός υπολογιστής", "", ("el",)),
        ("ควอนตัม", "", ("th",)),
        ("2025 + 17 = ?", "FR", ("fr", "en")),
        ("☃ 𓀀", "", ("en",)),
        ("", "ZZ", ("en",)),
    ],
)
def test_letters_say_the_language_and_the_country_which_of_those(text: str, country: str, languages: tuple[str, ...]):
    assert languages_of(text, country) == languages
    assert LANGUAGES.issuperset(languages)
