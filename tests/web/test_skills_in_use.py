"""Skills in a request's container: chosen, mounted, told to the model and to the client."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from antiphon.config import SkillSettings
from tests.web import batches
from tests.web.code_app import CODE, asks, edits, first, runs
from tests.web.files_app import KEYS, MINE, THEIRS, error_of
from tests.web.searching_app import says
from tests.web.skills_app import BETA, SkillsApp, files, manifest, skilled_app, skills_app
from tests.web.test_python import CELLS, cell, results


def using(*skills: Any, content: Any = "Go.", **more: Any) -> dict[str, Any]:
    """A request with skills; one is a custom one by its id, or all that is said of it."""
    listed = [{"type": "custom", "skill_id": one} if isinstance(one, str) else one for one in skills]
    return asks(content, container={"skills": listed, **more})


async def reply(app: SkillsApp, request: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    assert app.code is not None
    return await app.code.reply(request, headers)


def outputs(message: Any) -> list[str]:
    return [block["content"]["stdout"] for block in message["content"] if block["type"].startswith("bash_code")]


@pytest.mark.promise("skills.used", "skills.echoed")
async def test_a_skill_lies_in_its_folder_read_only_and_its_script_runs(tmp_path: Path) -> None:
    command = (
        "cat /skills/my-skill/SKILL.md; /skills/my-skill/scripts/run.sh well; "
        "touch /skills/my-skill/x 2>/dev/null || echo closed; touch /skills/y 2>/dev/null || echo closed; ls /skills"
    )
    viewed = edits(command="view", path="/skills/my-skill/SKILL.md")
    script = says(runs(command), times=1) + says(viewed, times=1) + says("Done.")
    async with skilled_app(tmp_path, script) as app:
        skill = await app.made()
        message = await reply(app, using(skill["id"]))
    assert outputs(message) == [manifest().decode() + "ran well\nclosed\nclosed\nmy-skill\n"]
    [view] = [block["content"] for block in message["content"] if block["type"].startswith("text_editor")]
    assert view["content"] == manifest().decode()
    assert message["container"]["skills"] == [
        {"type": "custom", "skill_id": skill["id"], "version": skill["latest_version_id"]}
    ]


@pytest.mark.promise("skills.pinned", "skills.echoed")
async def test_latest_moves_and_a_pin_stays_in_one_container_too(tmp_path: Path) -> None:
    cat = says(runs("cat /skills/my-skill/SKILL.md | tail -1; ls"), times=1) + says("Done.", times=1)
    async with skilled_app(tmp_path, cat * 5) as app:
        skill = await app.made(files(body="One."))
        pin = {"type": "custom", "skill_id": skill["id"], "version": skill["latest_version_id"]}
        one = await reply(app, using(skill["id"]))
        new = await app.made(files(body="Two."), f"/{skill['id']}/versions")
        here = one["container"]["id"]
        two = await reply(app, using({**pin, "version": "latest"}, id=here))
        three = await reply(app, using(pin, id=here))
        versions = (await app.get(f"/{skill['id']}/versions", headers=BETA)).json["data"]
        four = await reply(app, using({**pin, "version": versions[1]["version"]}), BETA)
        five = await reply(app, using({**pin, "version": versions[0]["id"]}))
    assert [outputs(each) for each in (one, two, three, four, five)] == [
        [f"{n}.\n"] for n in ("One", "Two", "One", "One", "Two")
    ]
    assert [each["container"]["skills"][0]["version"] for each in (one, two, three, four, five)] == [
        pin["version"],
        new["id"],
        pin["version"],
        versions[1]["version"],
        new["id"],
    ]
    assert {each["container"]["id"] for each in (one, two, three)} == {here}


@pytest.mark.promise("skills.echoed")
async def test_a_container_with_skills_is_told_where_no_code_ran_and_goes_on_without_them(tmp_path: Path) -> None:
    script = says("No need.", times=1) + says(runs("ls /skills 2>/dev/null || echo none"), times=1) + says("Done.")
    async with skilled_app(tmp_path, script) as app:
        skill = await app.made()
        streamed = await app.bridge.post({**using(skill["id"]), "stream": True})
        delta = next(event for event in streamed.events if event["type"] == "message_delta")["delta"]
        assert delta["container"]["skills"][0]["skill_id"] == skill["id"]
        without = await reply(app, asks(container=delta["container"]["id"]))
    assert outputs(without) == ["none\n"]
    assert without["container"]["id"] == delta["container"]["id"]
    assert "skills" not in without["container"]


@pytest.mark.promise("skills.told-to-the-model")
async def test_the_model_is_told_names_and_descriptions_in_one_order_in_front(tmp_path: Path) -> None:
    prompts: list[int] = []
    told = "- ape (/skills/ape/SKILL.md): For apes, all.\n- bee (/skills/bee/SKILL.md): For bees, all.\n- zebra"
    script = says("Told.", prompt=re.escape(told)) + says("Not told.")
    async with skilled_app(tmp_path, script, skills=owned(tmp_path / "own", "zebra")) as app:
        ape, bee = [await app.made(files(name, description=f"For {name}s,\n  all.")) for name in ("ape", "bee")]
        zebra = {"type": "anthropic", "skill_id": "zebra"}
        for chosen in ((ape["id"], bee["id"], zebra), (zebra, bee["id"], ape["id"])):
            message = await reply(app, {**using(*chosen), "system": "Be brief."})
            prompts.append(message["usage"]["input_tokens"])
            assert message["content"][0]["text"] == "Told."
            assert [one["skill_id"] for one in message["container"]["skills"]] == [
                one if isinstance(one, str) else one["skill_id"] for one in chosen
            ]
        alone = await reply(app, {**asks(), "system": "Be brief."})
    assert prompts[0] == prompts[1] > alone["usage"]["input_tokens"]
    assert alone["content"][0]["text"] == "Not told."


def owned(folder: Path, *names: str, version: str = "") -> SkillSettings:
    """Settings of an owner who has such skills, each with a script."""
    for name in names:
        (folder / name).mkdir(parents=True)
        head = f"metadata:\n  version: '{version}'\n" if version else ""
        text = f"---\nname: {name}\ndescription: Of {name}.\n{head}---\nRun `tool`.\n"
        (folder / name / "SKILL.md").write_text(text)
        (folder / name / "tool").write_text("#!/bin/sh\necho made by the owner\n")
        (folder / name / "tool").chmod(0o700)
        (folder / name / ".git").mkdir()
        (folder / name / ".git" / "config").write_text("secret")
    return SkillSettings((str(folder),))


@pytest.mark.promise("skills.own")
async def test_the_owners_skill_of_a_vendors_name_is_used_by_it(tmp_path: Path) -> None:
    script = says(runs("/skills/pptx/tool; ls -A /skills/pptx"), times=1) + says("Done.")
    async with skilled_app(tmp_path, script, skills=owned(tmp_path / "own", "pptx", version="20251013")) as app:
        pptx = {"type": "anthropic", "skill_id": "pptx", "version": "latest"}
        message = await reply(app, using(pptx))
        assert outputs(message) == ["made by the owner\nSKILL.md\ntool\n"]
        assert message["container"]["skills"] == [{**pptx, "version": "20251013"}]
        pinned = await reply(app, using({**pptx, "version": "20251013"}))
        assert pinned["container"]["skills"] == message["container"]["skills"]
        answer = await app.bridge.post(using({**pptx, "version": "20260101"}))
        assert error_of(answer)[:2] == (400, "invalid_request_error")
        assert "this server has the version '20251013' of the skill 'pptx'" in error_of(answer)[2]
        custom = await app.bridge.post(using("pptx"))
        assert error_of(custom)[:3] == (404, "not_found_error", "Skill `pptx` not found.")


@pytest.mark.promise("skills.not-the-vendors")
async def test_a_vendors_skill_is_refused_with_what_helps(tmp_path: Path) -> None:
    async with skilled_app(tmp_path, says("Yes.")) as app:
        answer = await app.bridge.post(using({"type": "anthropic", "skill_id": "xlsx"}))
    assert error_of(answer)[:3] == (
        400,
        "invalid_request_error",
        "container.skills.0.skill_id: the skill 'xlsx' is not on this server. None of the vendor's skills come with it; "
        "its owner adds a skill of that name as a folder with a SKILL.md, in one of the `folders` of [skills] in the "
        "configuration file. A skill that you have uploaded has the type 'custom'.",
    )


@pytest.mark.promise("skills.need-the-tool", "skills.most", "skills.workspaces")
async def test_skills_that_cannot_be_had_are_refused_by_name(tmp_path: Path) -> None:
    async with skilled_app(tmp_path, says("Yes."), api_keys=KEYS) as app:
        skill, same = [await app.made(headers=MINE) for _ in range(2)]
        id_ = skill["id"]

        async def refusal(request: dict[str, Any], headers: dict[str, str] = MINE) -> Any:
            return error_of(await app.bridge.post(request, headers=headers))[:3]

        wrong = "invalid_request_error"
        assert await refusal({**using(id_), "tools": []}) == (
            400,
            wrong,
            "container.skills: Skills beta requires the code_execution tool to be included in the request.",
        )
        assert await refusal(using(*[id_] * 21)) == (
            400,
            wrong,
            "container.ContainerParams.skills: List should have at most 20 items after validation, not 21",
        )
        assert (await refusal(using(id_, same["id"])))[:2] == (400, wrong)
        assert "another skill of this request has the name 'my-skill'" in (await refusal(using(id_, same["id"])))[2]
        assert await refusal(using(id_), THEIRS) == (404, "not_found_error", f"Skill `{id_}` not found.")
        assert await refusal(using("skill_\0")) == (404, "not_found_error", "Skill `skill_\0` not found.")
        for version in ("skver_unknown", "1", "9" * 30, "\0"):
            pinned = {"type": "custom", "skill_id": id_, "version": version}
            assert await refusal(using(pinned)) == (
                404,
                "not_found_error",
                f"Version `{version}` of skill `{id_}` not found.",
            )
        assert (await app.bridge.post(using(id_), headers=MINE)).status == 200


@pytest.mark.promise("skills.used")
async def test_a_request_of_a_batch_has_its_skills(tmp_path: Path) -> None:
    async with skilled_app(tmp_path, first(runs("ls /skills"))) as app:
        skill = await app.made()
        client = batches.Client(app.bridge)
        results = await client.results(await client.create({"custom_id": "one", "params": using(skill["id"])}))
    assert outputs(results["one"]["message"]) == ["my-skill\n"]


def test_a_folder_of_skills_that_has_none_or_a_wrong_one_ends_the_start(tmp_path: Path) -> None:
    from antiphon.compose.observer import StartError
    from antiphon.compose.skills import own_skills
    from antiphon.config import Settings

    def problem(*folders: Path) -> str:
        with pytest.raises(StartError) as found:
            own_skills(Settings(skills=SkillSettings(tuple(map(str, folders)))))
        return str(found.value)

    empty = tmp_path / "empty"
    assert "cannot be read" in problem(empty)
    empty.mkdir()
    assert "there is no SKILL.md in" in problem(empty)
    owned(tmp_path / "a", "pdf")
    owned(tmp_path / "b", "pdf")
    assert "are both named 'pdf'" in problem(tmp_path / "a", tmp_path / "b")
    os.symlink("/etc/passwd", tmp_path / "a" / "pdf" / "users")
    assert "a link that leads out of its skill" in problem(tmp_path / "a")
    (tmp_path / "b" / "pdf" / "SKILL.md").write_text("No head.")
    assert "the file must start with YAML frontmatter" in problem(tmp_path / "b")
    alone = own_skills(Settings(skills=SkillSettings((str(owned(tmp_path / "c", "one").folders[0]) + "/one",))))
    assert list(alone) == ["one"]
    assert sorted(alone["one"].files) == ["SKILL.md", "tool"]


async def test_without_a_sandbox_there_are_skills_and_no_code(tmp_path: Path) -> None:
    async with skills_app(tmp_path, says("Yes.")) as app:
        skill = await app.made()
        answer = await app.bridge.post({**using(skill["id"]), "tools": [CODE]})
    assert error_of(answer)[0] == 400
    assert "need a sandbox to run code in" in error_of(answer)[2]


@pytest.mark.promise("skills.used")
async def test_python_that_goes_on_begins_anew_where_another_reply_has_other_skills(tmp_path: Path) -> None:
    looks = says(cell("import os\nx = 1\nprint(os.path.exists('/skills/my-skill'))"), times=1) + says(
        "Done.", times=1
    )
    asks_x = says(cell("print('x' in globals(), os.path.exists('/skills/my-skill'))"), times=1) + says(
        "Done.", times=1
    )
    anew = says(cell("import os\nprint('x' in globals(), os.path.exists('/skills/my-skill'))"), times=1) + says(
        "Done."
    )
    async with skilled_app(tmp_path, looks + asks_x + anew) as app:
        skill = await app.made()
        one = await reply(app, {**using(skill["id"]), "tools": [CELLS]})
        two = await reply(app, {**using(skill["id"], id=one["container"]["id"]), "tools": [CELLS]})
        three = await reply(app, {**asks("Go.", container=one["container"]["id"]), "tools": [CELLS]})
    assert [results(each)[0]["stdout"] for each in (one, two, three)] == ["True\n", "True True\n", "False False\n"]
