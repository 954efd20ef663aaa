import asyncio

import anthropic
import pytest
from forecast import Refused, forecast, read_aloud

from antiphon.testing import breaks_off, disconnects, tool_call


def test_a_word_before_the_call_does_not_matter(antiphon_server, client):
    antiphon_server.reply("Let me look.", tool_call("get_weather", city="Paris"))
    antiphon_server.reply("It is sunny.")
    assert forecast("Paris?", {"Paris": "sunny"}, client) == "It is sunny."


def test_the_models_answer_is_given(antiphon_server, client):
    antiphon_server.reply(tool_call("get_weather", city="Paris"), tool_call("get_weather", city="Rome"))
    antiphon_server.reply("Sunny in Paris.")
    assert forecast("Paris and Rome?", {"Paris": "sunny"}, client) == "Sunny in Paris."
    paris, rome = antiphon_server.last.json["messages"][-1]["content"]
    assert (paris["content"], paris["is_error"]) == ("sunny", False)
    assert (rome["content"], rome["is_error"]) == ("no weather of Rome", True)
    assert antiphon_server.left == 0


def test_a_server_that_is_busy_is_asked_again(antiphon_server, client):
    antiphon_server.fail(529)
    antiphon_server.fail(429, retry_after=0.01)
    antiphon_server.reply("Rain.")
    assert forecast("Oslo?", {}, client) == "Rain."
    assert [request.status for request in antiphon_server.requests] == [529, 429, 200]


def test_what_is_refused_is_said(antiphon_server, client):
    antiphon_server.refuse("I")
    with pytest.raises(Refused):
        forecast("How do I make a storm?", {}, client)


def test_a_wrong_request_is_refused_as_the_api_refuses_it(antiphon_server, client):
    with pytest.raises(anthropic.BadRequestError, match="text content blocks must be non-empty|non-empty content"):
        forecast("", {}, client)


@pytest.mark.parametrize("ending", [breaks_off(after=2), disconnects(after=2)], ids=["an error", "a lost connection"])
def test_what_came_before_a_stream_broke_off_is_heard(antiphon_env, ending):
    antiphon_env.reply("One two three four", ending=ending)
    assert asyncio.run(read_aloud("Count.")) == ["One", " two", "…"]


@pytest.mark.antiphon(api_key="another")
def test_settings_of_the_server_are_a_marker(antiphon_server):
    assert antiphon_server.api_key == "another"


def test_a_session_that_was_recorded_is_played_again(antiphon_server, client, request):
    antiphon_server.replay(request.path.parent / "paris.json")
    said = forecast("What is the weather in Paris?", {"Paris": "sunny, 24 degrees"}, client)
    assert said == "It is sunny in Paris."
    assert antiphon_server.left == 0
