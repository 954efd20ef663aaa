"""The console's files as they are served, before any browser reads them."""

import re
from importlib.resources import files

import pytest

from antiphon.console import console_pages
from antiphon.testing import scripted_app

SCRIPT = '[[reply]]\ntext = "Hello."\n'
STATIC = {
    file.name: file.read_text(encoding="utf-8") for file in files("antiphon.console").joinpath("static").iterdir()
}
PATHS = {"/console", "/console/"} | {f"/console/{name}" for name in STATIC if name != "index.html"}
NO_KEY: dict[str, str | None] = {"x-api-key": None}
TRICKS = (
    *(
        "/console/index.html",
        "/console/app.py",
        "/console/../console/main.js",
        "/console/./main.js",
        "/console//main.js",
    ),
    *("/console/static/main.js", "/console/main.js/", "/console/main.js\0", "/console/%6dain.js", "/console/MAIN.JS"),
    *("/Console", "//console", "/console/..", "/console/../v1/models", "/console/../../app.py", "/console\\main.js"),
    *("/console/__init__.py", "/console/.", "/consolex"),
)


@pytest.mark.promise("console.open-files")
async def test_every_file_is_served_without_a_key_and_nothing_else_is() -> None:
    assert console_pages().keys() == PATHS
    assert len(PATHS) > 20
    async with scripted_app(SCRIPT, api_keys=("secret",)) as bridge:
        for path in PATHS - {"/console/"}:
            answer = await bridge.ask("GET", path, headers=NO_KEY)
            assert answer.status == 200, path
            assert answer.body.decode() == STATIC[path.rpartition("/")[2] if path != "/console" else "index.html"]
        for path in ("/v1/models", "/v1/files", "/v1/messages/batches", "/metrics"):
            assert (await bridge.ask("GET", path, headers=NO_KEY)).status == 401, path


@pytest.mark.promise("console.open-files")
async def test_a_path_beside_them_is_not_there() -> None:
    async with scripted_app(SCRIPT) as bridge:
        for path in TRICKS:
            answer = await bridge.ask("GET", path)
            assert (answer.status, answer.json["error"]["type"]) == (404, "not_found_error"), path


@pytest.mark.promise("console.open-files")
async def test_the_owner_can_switch_it_off() -> None:
    async with scripted_app(SCRIPT, console=False) as bridge:
        assert {(await bridge.ask("GET", path)).status for path in PATHS} == {404}


@pytest.mark.promise("console.policy")
async def test_the_policy_goes_with_every_file() -> None:
    async with scripted_app(SCRIPT) as bridge:
        for path in PATHS:
            headers = (await bridge.ask("GET", path)).headers
            rules = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
            assert rules == {
                "default-src": "'none'",
                "script-src": "'self'",
                "style-src": "'self'",
                "img-src": "'self' data: blob:",
                "connect-src": "'self'",
                "frame-ancestors": "'none'",
                "base-uri": "'none'",
                "form-action": "'none'",
                "require-trusted-types-for": "'script'",
                "trusted-types": "'none'",
            }
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["x-frame-options"] == "DENY"


@pytest.mark.promise("console.policy")
def test_no_file_has_what_the_policy_forbids_or_names_another_host() -> None:
    page = STATIC["index.html"]
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", page) == []
    for name, text in STATIC.items():
        assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}, name
        assert (
            re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text) == []
        ), name


def test_files_load_only_files_that_are_there_and_stay_small() -> None:
    linked = {found for text in STATIC.values() for found in re.findall(r'from "\./([\w.]+)"', text)}
    named = set(re.findall(r'(?:src|href)="console/([\w.]+)"', STATIC["index.html"]))
    assert linked | named == STATIC.keys() - {"index.html"}
    assert {name: lines for name, text in STATIC.items() if (lines := text.count("\n")) >= 400} == {}


async def test_a_browser_that_has_a_file_is_not_sent_it_again() -> None:
    async with scripted_app(SCRIPT) as bridge:
        first = await bridge.ask("GET", "/console/main.js")
        assert first.headers["content-type"] == "text/javascript; charset=utf-8"
        for tag in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
            again = await bridge.ask("GET", "/console/main.js", headers={"if-none-match": tag})
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
        other = await bridge.ask("GET", "/console/main.js", headers={"if-none-match": '"other"'})
        assert (other.status, other.body) == (200, first.body)


async def test_the_page_with_a_slash_behind_it_leads_to_the_page_also_below_a_proxys_path() -> None:
    async with scripted_app(SCRIPT) as bridge:
        answer = await bridge.ask("GET", "/console/")
        assert (answer.status, answer.headers["location"]) == (308, "../console")


async def test_what_is_no_reading_is_refused_in_the_apis_words() -> None:
    async with scripted_app(SCRIPT) as bridge:
        answer = await bridge.ask("POST", "/console", {})
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
        assert answer.json["error"]["type"] == "invalid_request_error"
