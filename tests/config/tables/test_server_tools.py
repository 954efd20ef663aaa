"""What `[server_tools.*]` may say, and what is wrong with it otherwise."""

from collections.abc import Mapping
from typing import Any

import pytest

from antiphon.config import ConfigError, ToolSettings, WebFetchSettings, WebSearchSettings, parse_settings

KEY = "a-secret-key"


def parsed(tables: Mapping[str, Any], **env: str) -> ToolSettings:
    return parse_settings({}, env, {"server_tools": tables}, toml_path="a.toml").server_tools


def wrong(tables: Mapping[str, Any], **env: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parsed(tables, **env)
    return str(caught.value)


@pytest.mark.promise("web-tools.default")
def test_without_a_table_what_takes_no_account_is_offered():
    found = parse_settings({}, {}, {}).server_tools
    assert found == ToolSettings()
    assert found.by_default == ("web_search", "web_fetch")
    assert found.offered() == ToolSettings(WebSearchSettings(provider="wikipedia"), WebFetchSettings())


@pytest.mark.promise("web-tools.default")
def test_a_table_takes_the_place_of_its_default_and_leaves_the_other():
    found = parsed({"web_search": {"url": "http://127.0.0.1:8888"}})
    assert found.by_default == ("web_fetch",)
    assert found.offered().web_search == WebSearchSettings(url="http://127.0.0.1:8888")
    assert found.offered().web_fetch == WebFetchSettings()
    both = parsed({"web_search": {"url": "http://127.0.0.1:8888"}, "web_fetch": {"cache": 0}})
    assert (both.by_default, both.offered()) == ((), both)


@pytest.mark.promise("web-tools.default")
@pytest.mark.parametrize(
    ("tables", "env"),
    [
        ({"defaults": False}, {}),
        ({}, {"ANTIPHON_SERVER_TOOLS_DEFAULTS": "off"}),
        ({"web_search": {"enabled": False}, "web_fetch": {"enabled": False}}, {}),
    ],
)
def test_one_word_switches_every_default_off_and_each_table_its_own(tables: dict[str, Any], env: dict[str, str]):
    found = parsed(tables, **env)
    assert (found.web_search, found.web_fetch, found.by_default) == (None, None, ())
    assert found.offered() == found


def test_what_is_configured_is_there_with_the_defaults_off():
    found = parsed({"defaults": False, "rounds": 3, "web_fetch": {"cache": 0}, "dice": {"sides": 6}}).offered()
    assert (found.web_search, found.web_fetch, found.own) == (None, WebFetchSettings(cache=0), {"dice": {"sides": 6}})


def test_wikipedia_takes_no_address_and_may_have_another():
    found = parsed({"web_search": {"provider": "wikipedia", "contact": "me@cats.example", "results": 3}})
    assert found.web_search == WebSearchSettings("wikipedia", contact="me@cats.example", results=3)
    assert found.by_default == ("web_fetch",)
    wiki = {"web_search": {"provider": "wikipedia", "url": "http://wiki.lan/"}}
    assert parsed(wiki).web_search == WebSearchSettings("wikipedia", "http://wiki.lan")


@pytest.mark.promise("web-tools.configured")
def test_a_table_turns_its_tool_on_with_what_it_says():
    found = parsed(
        {
            "web_search": {"url": "http://127.0.0.1:8888/", "results": 8, "language": "de", "timeout": 3},
            "web_fetch": {"max_bytes": 2048, "cache": 0, "cache_seconds": 60},
            "dice": {"sides": 6},
        }
    )
    assert found.web_search == WebSearchSettings(url="http://127.0.0.1:8888", results=8, language="de", timeout=3.0)
    assert found.web_fetch == WebFetchSettings(max_bytes=2048, cache=0, cache_seconds=60.0)
    assert found.own == {"dice": {"sides": 6}}
    assert parsed({"web_fetch": {"enabled": True}}).web_fetch == WebFetchSettings()


@pytest.mark.promise("web-tools.keys")
@pytest.mark.parametrize(
    ("table", "env"),
    [
        ({"key": KEY}, {}),
        ({"key": KEY}, {"TAVILY_API_KEY": "another"}),
        ({}, {"TAVILY_API_KEY": KEY}),
        ({"key_env": "SEARCH_KEY"}, {"SEARCH_KEY": KEY, "TAVILY_API_KEY": "another"}),
    ],
)
def test_a_key_comes_from_the_file_or_from_a_variable_and_is_never_shown(table: dict[str, Any], env: dict[str, str]):
    found = parsed({"web_search": {"provider": "tavily", **table}}, **env)
    assert found.web_search is not None
    assert found.web_search.key == KEY
    assert KEY not in repr(found)


SEARCH = "a.toml, [server_tools.web_search]"
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no address": ({"web_search": {}}, f"{SEARCH}: url is missing"),
    "no contact": (
        {"web_search": {"provider": "wikipedia", "contact": "me)\r\nX: y"}}, f"{SEARCH} contact: 'me)\\r\\nX: y' is not an e-mail"
    ),
    "no path": ({"web_search": {"provider": "local"}}, f"{SEARCH}: path is missing"),
    "no key": ({"web_search": {"provider": "brave"}}, f"{SEARCH}: brave needs a key, and the variable BRAVE_API_KEY is not set"),
    "an empty variable": (
        {"web_search": {"provider": "brave", "key_env": "NOT_THERE"}}, "the variable NOT_THERE is not set"
    ),
    "a key with a space": ({"web_search": {"provider": "brave", "key": f"{KEY} x"}}, f"{SEARCH} key: the value is not a key"),
    "a variable that is none": ({"web_search": {"key_env": "A-B"}}, "not the name of an environment variable"),
    "a key in the open": (
        {"web_search": {"provider": "brave", "key": KEY, "url": "http://brave.lan"}}, "travels over https only"
    ),
    "another provider": ({"web_search": {"provider": "bing"}}, "one of searxng, brave, tavily, local, wikipedia"),
    "an address that is none": ({"web_search": {"url": "127.0.0.1:8888"}}, "'127.0.0.1:8888' is not an address such as"),
    "an address with a query": ({"web_search": {"url": "http://a.lan/?q="}}, "is not an address such as"),
    "an address with a password": ({"web_search": {"url": "http://a:b@c.lan"}}, "is not an address such as"),
    "a language that is none": ({"web_search": {"url": "http://a.lan", "language": "de-DE"}}, "not a language"),
    "too many results": ({"web_search": {"url": "http://a.lan", "results": 100}}, "results: 100 is not"),
    "an unknown key": ({"web_search": {"url": "http://a.lan", "result": 5}}, "unknown key 'result'; did you mean 'results'?"),
    "a tool that is no table": ({"web_fetch": True}, "[server_tools]: unknown key 'web_fetch'"),
    "a table called like a key": ({"rounds": {"most": 3}}, "[server_tools] rounds: {'most': 3} is not a whole number"),
    "an empty table called like a key": ({"tool_seconds": {}}, "[server_tools] tool_seconds: {} is not a number"),
    "a fetch key": ({"web_fetch": {"max_byte": 1}}, "unknown key 'max_byte'; did you mean 'max_bytes'?"),
}  # fmt: skip


@pytest.mark.promise("web-tools.configured")
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_table_says_where_and_what_to_write(name: str):
    tables, why = WRONG[name]
    said = wrong(tables)
    assert why in said
    assert KEY not in said


def test_a_key_may_travel_to_loopback_in_the_open():
    found = parsed({"web_search": {"provider": "brave", "key": KEY, "url": "http://127.0.0.1:9000"}})
    assert found.web_search is not None
