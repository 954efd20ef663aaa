"""Code that the model writes, run in a container and told to the client."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from antiphon.config import StoreSettings, TurnLimits
from antiphon.service.containers import LIFETIME
from antiphon.tools.code import bash
from tests.web import batches
from tests.web.code_app import CODE, asks, code_app, edits, first, runs
from tests.web.files_app import MINE, THEIRS, files_app
from tests.web.searching_app import LOOK, invoke, kinds, says, section


@pytest.mark.promise("code-execution.bash", "server-tools.code-execution", "code-execution.container-told")
async def test_a_command_is_run_and_told_with_the_container(tmp_path: Path):
    async with code_app(tmp_path, first(runs("echo $((6 * 7)); echo oh >&2; exit 3"))) as app:
        message = await app.reply(asks())
    assert kinds(message) == ["server_tool_use", "bash_code_execution_tool_result", "text"]
    call, result, text = message["content"]
    assert (call["name"], result["tool_use_id"], text["text"]) == ("bash_code_execution", call["id"], "Done.")
    assert result["content"] == {
        "type": "bash_code_execution_result",
        "stdout": "42\n",
        "stderr": "oh\n",
        "return_code": 3,
        "content": [],
    }
    assert "caller" not in result
    assert message["container"]["id"].startswith("container_")
    assert message["container"]["expires_at"].endswith("Z")
    assert message["usage"]["server_tool_use"] == {"web_search_requests": 0, "web_fetch_requests": 0}


@pytest.mark.promise("code-execution.container-told")
async def test_a_stream_tells_the_container_in_its_delta(tmp_path: Path):
    async with code_app(tmp_path, first(runs("true"))) as app:
        answer = await app.files.bridge.post(asks(stream=True))
    assert b'"container":{"id":"container_' in answer.body.split(b"event: message_delta")[1]


@pytest.mark.promise("code-execution.container-reused")
async def test_a_named_container_has_the_files_of_before_and_no_name_is_a_new_one(tmp_path: Path):
    script = says(runs("echo kept > a.txt"), times=1) + says("Done.", times=1)
    script += says(runs("cat a.txt"), "Again", times=1) + says("Done.", times=1)
    script += says(runs("cat a.txt"), "New", times=1) + says("Done.")
    async with code_app(tmp_path, script) as app:
        one = await app.reply(asks())
        two = await app.reply(asks("Again", container=one["container"]["id"]))
        new = await app.reply(asks("New"))
        three = await app.reply(asks("Again", container={"id": one["container"]["id"]}))
    assert two["content"][1]["content"]["stdout"] == "kept\n"
    assert two["container"]["id"] == one["container"]["id"] == three["container"]["id"] != new["container"]["id"]
    assert new["content"][1]["content"]["return_code"] == 1


@pytest.mark.promise("code-execution.output-files")
async def test_files_in_the_output_folder_can_be_downloaded_and_others_are_not_told(tmp_path: Path):
    command = 'echo hi > "$OUTPUT_DIR/b.txt"; mkdir "$OUTPUT_DIR/d"; echo x > "$OUTPUT_DIR/d/c"; echo x > e.txt'
    async with code_app(tmp_path, first(runs(command))) as app:
        message = await app.reply(asks())
        [made] = message["content"][1]["content"]["content"]
        assert made["type"] == "bash_code_execution_output"
        assert (await app.files.get(f"/{made['file_id']}/content")).body == b"hi\n"
        assert (await app.files.get(f"/{made['file_id']}")).json["filename"] == "b.txt"
        assert await app.files.listed() == [made["file_id"]]


@pytest.mark.promise("code-execution.uploads")
async def test_an_uploaded_file_lies_where_commands_begin_and_the_model_is_told(tmp_path: Path):
    async with code_app(tmp_path, first(runs("cat data.csv"))) as app:
        id_ = await app.files.id_of(b"a,b\n1,2\n", "data.csv", "text/csv")
        content = [{"type": "text", "text": "Sum."}, {"type": "container_upload", "file_id": id_}]
        message = await app.reply(asks(content))
        assert message["content"][1]["content"]["stdout"] == "a,b\n1,2\n"
        unknown = [{"type": "container_upload", "file_id": "file_unknown"}]
        answer = await app.files.bridge.post(asks(unknown))
        assert answer.status == 404


@pytest.mark.promise("code-execution.uploads-without-the-tool")
async def test_an_upload_without_the_tool_is_ignored(tmp_path: Path):
    async with code_app(tmp_path, says("Yes.")) as app:
        content = [{"type": "text", "text": "Sum."}, {"type": "container_upload", "file_id": "file_unknown"}]
        assert (await app.reply(asks(content, tools=[])))["content"][0]["text"] == "Yes."


@pytest.mark.promise("code-execution.editor")
async def test_the_editor_creates_views_and_changes_files(tmp_path: Path):
    calls = (
        edits(command="create", path="a.py", file_text="one\ntwo\n"),
        edits(command="create", path="a.py", file_text="one\ntwo\nthree\n"),
        edits(command="str_replace", path="/workspace/a.py", old_str="two", new_str="2"),
        edits(command="view", path="a.py"),
        edits(command="view", path="/workspace/none.py"),
    )
    script = "".join(says(call, times=1) for call in calls) + says("Done.")
    async with code_app(tmp_path, script) as app:
        message = await app.reply(asks())
    created, replaced, changed, viewed, missing = (
        block["content"] for block in message["content"] if block["type"].endswith("_tool_result")
    )
    kind = "text_editor_code_execution"
    assert created == {"type": f"{kind}_create_result", "is_file_update": False}
    assert replaced == {"type": f"{kind}_create_result", "is_file_update": True}
    assert changed == {
        "type": f"{kind}_str_replace_result",
        "lines": ["-two", "+2"],
        "old_start": 2,
        "old_lines": 1,
        "new_start": 2,
        "new_lines": 1,
    }
    assert viewed == {
        "type": f"{kind}_view_result",
        "file_type": "text",
        "content": "one\n2\nthree\n",
        "num_lines": 3,
        "start_line": 1,
        "total_lines": 3,
    }
    assert missing["error_code"] == "file_not_found"
    assert missing["error_message"]


@pytest.mark.promise("code-execution.timeout")
async def test_a_command_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bash, "SECONDS", 0.5)
    monkeypatch.setattr(bash.Bash.__init__, "__defaults__", (0.5,))
    async with code_app(tmp_path, first(runs("sleep 60"))) as app, asyncio.timeout(20):
        message = await app.reply(asks())
    assert message["content"][1]["content"] == {
        "type": "bash_code_execution_tool_result_error",
        "error_code": "execution_time_exceeded",
    }


@pytest.mark.promise("code-execution.closed-in")
async def test_code_reaches_no_network_and_no_file_of_the_machine(tmp_path: Path):
    (tmp_path / "secret").write_text("secret")
    command = f"cat {tmp_path}/secret; python3 -c 'import socket; socket.create_connection((\"1.1.1.1\", 53), 2)'"
    async with code_app(tmp_path / "boxes", first(runs(command))) as app:
        result = (await app.reply(asks()))["content"][1]["content"]
    assert result["return_code"] == 1
    assert "No such file" in result["stderr"]
    assert "unreachable" in result["stderr"]


@pytest.mark.promise("code-execution.unknown-container", "code-execution.others-container")
async def test_a_container_that_is_unknown_expired_or_of_another_key_is_refused(tmp_path: Path):
    script = says(runs("true"), times=1) + says("Done.")
    async with code_app(tmp_path, script, api_keys=("mine", "theirs")) as app:
        id_ = (await app.reply(asks(), MINE))["container"]["id"]
        assert "does not exist or has expired" in await app.refusal(asks(container="container_no"), MINE)
        assert "does not exist or has expired" in await app.refusal(asks(container=id_), THEIRS)
        assert (await app.reply(asks(container=id_), MINE))["container"]["id"] == id_
        app.clock.time += LIFETIME + 1
        assert "does not exist or has expired" in await app.refusal(asks(container=id_), MINE)


@pytest.mark.promise("code-execution.parallel-client-tool")
async def test_a_command_beside_a_clients_tool_waits_for_the_next_reply(tmp_path: Path):
    both = section(invoke("bash_code_execution", command="echo late"), invoke("look"))
    async with code_app(tmp_path, says(both, times=1) + says("Done.")) as app:
        request = asks(tools=[CODE, LOOK])
        paused = await app.reply(request)
        assert (paused["stop_reason"], kinds(paused)) == ("tool_use", ["server_tool_use", "tool_use"])
        answered = {"type": "tool_result", "tool_use_id": paused["content"][1]["id"], "content": "Seen."}
        messages = [
            *request["messages"],
            {"role": "assistant", "content": paused["content"]},
            {"role": "user", "content": [answered]},
        ]
        message = await app.reply({**request, "messages": messages})
    assert kinds(message) == ["bash_code_execution_tool_result", "text"]
    assert message["content"][0]["content"]["stdout"] == "late\n"


@pytest.mark.promise("code-execution.no-sandbox")
async def test_without_a_sandbox_the_tool_is_refused_with_what_helps():
    async with files_app(says("Yes.")) as app:
        answer = await app.bridge.post(asks())
    assert answer.status == 400
    assert "tools.0: code_execution_20250825 tools need a sandbox" in answer.json["error"]["message"]
    assert "antiphon doctor" in answer.json["error"]["message"]


async def test_a_request_that_names_the_tool_has_the_shell_called(tmp_path: Path):
    async with code_app(tmp_path, first(runs("echo forced"))) as app:
        choice = {"type": "tool", "name": "code_execution"}
        message = await app.reply(asks(tool_choice=choice))
    assert message["content"][1]["content"]["stdout"] == "forced\n"


async def test_a_pending_call_that_no_tool_of_the_request_answers_is_refused(tmp_path: Path):
    call = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "1"}}
    async with code_app(tmp_path, says("Yes.")) as app:
        request = asks()
        request["messages"].append({"role": "assistant", "content": [call]})
        assert await app.refusal(request) == (
            "messages.1.content.0: code_execution calls are not supported by this server yet."
        )


@pytest.mark.promise("code-execution.paused", "server-tools.pause-turn")
async def test_a_paused_turn_goes_on_in_its_container(tmp_path: Path):
    script = says(runs("echo kept > a.txt"), times=1) + says(runs("cat a.txt"), times=1) + says("Done.")
    async with code_app(tmp_path, script, turn=TurnLimits(rounds=1)) as app:
        request = asks()
        replies = [await app.reply(request)]
        while replies[-1]["stop_reason"] == "pause_turn" and len(replies) < 5:
            request["messages"].append({"role": "assistant", "content": replies[-1]["content"]})
            request["container"] = replies[-1]["container"]["id"]
            replies.append(await app.reply(request))
    assert [reply["stop_reason"] for reply in replies] == ["pause_turn", "pause_turn", "end_turn"]
    assert replies[1]["content"][1]["content"]["stdout"] == "kept\n"
    assert replies[1]["container"]["id"] == replies[0]["container"]["id"]
    assert kinds(replies[2]) == ["text"]


@pytest.mark.promise("code-execution.batches")
async def test_a_request_of_a_batch_runs_code_and_tells_its_container(tmp_path: Path):
    stores = StoreSettings(data=str(tmp_path / "kept"))
    async with code_app(tmp_path / "boxes", first(runs("echo hi")), stores=stores) as app:
        client = batches.Client(app.files.bridge)
        results = await client.results(await client.create({"custom_id": "one", "params": asks()}))
    message = results["one"]["message"]
    assert kinds(message) == ["server_tool_use", "bash_code_execution_tool_result", "text"]
    assert message["content"][1]["content"]["stdout"] == "hi\n"
    assert message["container"]["id"].startswith("container_")


@pytest.mark.promise("code-execution.uploads")
async def test_a_large_upload_is_put_there_in_pieces_and_one_that_is_gone_is_an_error_of_the_tool(tmp_path: Path):
    script = first(runs("sha256sum < big.bin | cut -c 1-8; wc -c < big.bin"))
    async with code_app(tmp_path, script) as app:
        data = bytes(range(256)) * 4096 * 3
        id_ = await app.files.id_of(data, "big.bin", "application/octet-stream")
        message = await app.reply(asks([{"type": "container_upload", "file_id": id_}]))
    digest = hashlib.sha256(data).hexdigest()[:8]
    assert message["content"][1]["content"]["stdout"] == f"{digest}\n{len(data)}\n"
    async with code_app(tmp_path / "other", script) as app:
        id_ = await app.files.id_of(data, "big.bin", "application/octet-stream")
        [key] = await app.files.kept()
        await app.files.objects.delete(key)
        message = await app.reply(asks([{"type": "container_upload", "file_id": id_}]))
    assert message["content"][1]["content"]["error_code"] == "unavailable"
    assert message["content"][-1]["text"] == "Done."
