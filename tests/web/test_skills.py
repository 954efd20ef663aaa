"""The endpoints of skills: uploaded, listed, told of, given out, deleted, in both of the API's shapes."""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from antiphon.config import SkillSettings
from antiphon.request.skills.wording import MOST_BYTES
from tests.web.files_app import KEYS, MINE, THEIRS, error_of, form, part
from tests.web.skills_app import BETA, SkillsApp, archive, files, manifest, skills_app, uploaded


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[SkillsApp]:
    async with skills_app(tmp_path) as app:
        yield app


@pytest.mark.promise("skills.told")
async def test_a_skill_of_a_folder_is_told_of_with_its_newest_version(app: SkillsApp) -> None:
    app.clock.time = 1_770_000_000.25
    answer = await app.send(uploaded(files()))
    skill = answer.json
    assert answer.status == 200, answer.body
    moment = "2026-02-02T02:40:00.250000Z"
    assert skill["id"].startswith("skill_01")
    assert skill["latest_version_id"].startswith("skver_01")
    assert skill == {
        "id": skill["id"],
        "type": "skill",
        "display_name": "my-skill",
        "latest_version_id": skill["latest_version_id"],
        "source": {"type": "custom"},
        "created_at": moment,
        "updated_at": moment,
    }
    assert (await app.get(f"/{skill['id']}")).json == skill
    assert (await app.get(f"/{skill['id']}/versions/{skill['latest_version_id']}")).json == {
        "id": skill["latest_version_id"],
        "type": "skill_version",
        "skill_id": skill["id"],
        "name": "my-skill",
        "description": "Does it.",
        "created_at": moment,
    }


@pytest.mark.promise("skills.beta-shapes")
async def test_with_the_header_of_the_beta_skills_have_its_shapes_and_versions_their_times(app: SkillsApp) -> None:
    app.clock.time = 1_770_000_000.25
    skill = (await app.send(uploaded(files(), display_title="Mine"), headers=BETA)).json
    number = "1770000000250000"
    moment = "2026-02-02T02:40:00.250000Z"
    assert skill == {
        "id": skill["id"],
        "type": "skill",
        "display_title": "Mine",
        "latest_version": number,
        "source": "custom",
        "created_at": moment,
        "updated_at": moment,
    }
    listed = (await app.get(headers=BETA)).json
    assert listed == {"data": [skill], "has_more": False, "next_page": None}
    version = (await app.get(f"/{skill['id']}/versions/{number}", headers=BETA)).json
    assert version["id"].startswith("skillver_01")
    assert version == {
        "id": version["id"],
        "type": "skill_version",
        "skill_id": skill["id"],
        "version": number,
        "directory": "my-skill",
        "name": "my-skill",
        "description": "Does it.",
        "created_at": moment,
    }
    assert (await app.get(f"/{skill['id']}/versions/{version['id']}", headers=BETA)).json == version
    assert (await app.get(f"/{skill['id']}/versions", headers=BETA)).json["data"] == [version]
    gone = await app.delete(f"/{skill['id']}/versions/{number}", BETA)
    assert gone.json == {"id": number, "type": "skill_version_deleted"}
    assert (await app.get(f"/{skill['id']}", headers=BETA)).json["latest_version"] is None


@pytest.mark.promise("skills.zip")
@pytest.mark.parametrize("folder", ["my-skill/", ""], ids=["in a folder", "at the top"])
async def test_a_zip_is_a_skill_and_is_given_out_as_one(app: SkillsApp, folder: str) -> None:
    given = {f"{folder}SKILL.md": manifest(), f"{folder}a/b.txt": b"b"}
    skill = await app.made({"any.zip": archive(given)})
    answer = await app.get(f"/{skill['id']}/versions/{skill['latest_version_id']}/content")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-skill.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.body)) as found:
        assert {name: found.read(name) for name in found.namelist()} == {
            "my-skill/SKILL.md": manifest(),
            "my-skill/a/b.txt": b"b",
        }


NO_SKILLS: Final[dict[str, tuple[dict[str, bytes], str]]] = {
    "no manifest": ({"my-skill/README.md": b"a"}, "SKILL.md file must be exactly in the top-level folder."),
    "folder": (
        {"other/SKILL.md": manifest()},
        "The folder name 'other' must match the skill name 'my-skill' in SKILL.md.",
    ),
    "zip": ({"a.zip": archive({"my-skill/a.md": b"a"})}, "Zip must contain exactly one SKILL.md file."),
    "name": ({"my-skill/SKILL.md": manifest("My Skill")}, "SKILL.md: name: may only contain lowercase letters"),
    "reserved": ({"claude-x/SKILL.md": manifest("claude-x")}, "SKILL.md: name: cannot contain the reserved words"),
    "long": (
        {"my-skill/SKILL.md": manifest(description="a" * 1025)},
        "SKILL.md: description: should have at most 1024",
    ),
    "up": ({"my-skill/SKILL.md": manifest(), "my-skill/../x": b""}, "Skill upload has an invalid file path"),
    "large": ({"my-skill/SKILL.md": manifest(), "my-skill/a": bytes(MOST_BYTES)}, "exceeds the maximum size"),
    "huge": ({"my-skill/SKILL.md": manifest(), "my-skill/a": bytes(MOST_BYTES + 2**21)}, "exceeds the maximum size"),
    "unnamed": ({"": manifest()}, "every file needs a name"),
}

NO_FORMS: Final = {
    "empty": (form(), "files: Field required"),
    "no files": (form(part("display_name", b"a")), "files: Field required"),
    "unknown": (uploaded(files(), color="red"), "color: Extra inputs are not permitted"),
    "long": (uploaded(files(), display_name="a" * 256), "display_name: String should have at most 255 characters"),
    "longer": (uploaded(files(), display_name="a" * 9999), "display_name: String should have at most 255 characters"),
    "control": (uploaded(files(), display_name="a\0b"), "display_name: Input should be a single line"),
}


@pytest.mark.promise("skills.judged")
async def test_what_is_no_skill_is_a_400_that_says_why_and_nothing_is_kept(app: SkillsApp) -> None:
    for what, (given, said) in NO_SKILLS.items():
        status, kind, message, _ = error_of(await app.send(uploaded(given)))
        assert (what, status, kind) == (what, 400, "invalid_request_error")
        assert said in message, what
    assert (await app.get()).json == {"data": [], "next_page": None}


@pytest.mark.promise("skills.judged")
async def test_a_form_that_says_something_else_is_a_400(app: SkillsApp) -> None:
    for what, (body, said) in NO_FORMS.items():
        status, kind, message, _ = error_of(await app.send(body))
        assert (what, status, kind) == (what, 400, "invalid_request_error")
        assert said in message, what


@pytest.mark.promise("skills.display-name")
async def test_people_call_a_skill_as_they_like_and_two_may_have_one_name(app: SkillsApp) -> None:
    one, two = [(await app.send(uploaded(files(), display_name=" Zusätze 😀 "))).json for _ in range(2)]
    assert one["display_name"] == two["display_name"] == "Zusätze 😀"
    assert one["id"] != two["id"]


@pytest.mark.promise("skills.versions")
async def test_a_new_version_is_the_latest_and_the_older_ones_stay(app: SkillsApp) -> None:
    skill = await app.made()
    path = f"/{skill['id']}/versions"
    added = [await app.made(files(description=f"Number {n}."), path) for n in range(4)]
    now = (await app.get(f"/{skill['id']}")).json
    assert now["latest_version_id"] == added[-1]["id"] == (await app.get(f"{path}/latest")).json["id"]
    assert now["updated_at"] == added[-1]["created_at"] > now["created_at"] == skill["created_at"]
    ids = [version["id"] for version in await app.pages(path)]
    assert ids == [*(version["id"] for version in reversed(added)), skill["latest_version_id"]]
    first = (await app.get(f"{path}/{skill['latest_version_id']}")).json
    assert (first["description"], added[0]["description"]) == ("Does it.", "Number 0.")
    beta = await app.pages(path, headers=BETA)
    assert [version["description"] for version in beta] == [*(f"Number {n}." for n in (3, 2, 1, 0)), "Does it."]


@pytest.mark.promise("skills.one-name")
async def test_a_version_of_another_name_is_a_400(app: SkillsApp) -> None:
    skill = await app.made()
    answer = await app.send(uploaded(files("other")), f"/{skill['id']}/versions")
    assert error_of(answer)[:3] == (
        400,
        "invalid_request_error",
        "The name 'other' in SKILL.md must stay 'my-skill': all versions of a skill have the same name.",
    )
    named = await app.send(uploaded(files(), display_name="a"), f"/{skill['id']}/versions")
    assert error_of(named)[2] == "display_name: Extra inputs are not permitted"
    assert len(await app.pages(f"/{skill['id']}/versions")) == 1


@pytest.mark.promise("skills.deleted")
async def test_a_deleted_skill_is_gone_with_its_versions(app: SkillsApp) -> None:
    skill = await app.made()
    version = await app.made(files(), f"/{skill['id']}/versions")
    assert (await app.delete(f"/{skill['id']}")).json == {"id": skill["id"], "type": "skill_deleted"}
    paths = (f"/{skill['id']}", f"/{skill['id']}/versions", f"/{skill['id']}/versions/{version['id']}")
    for path in (*paths, f"{paths[2]}/content", "/skill_unknown", "/%00"):
        assert error_of(await app.get(path))[:2] == (404, "not_found_error")
    assert error_of(await app.delete(f"/{skill['id']}"))[0] == 404
    assert error_of(await app.send(uploaded(files()), paths[1]))[0] == 404


@pytest.mark.promise("skills.only-version")
async def test_a_version_can_be_deleted_and_the_only_one_cannot(app: SkillsApp) -> None:
    skill = await app.made()
    version = await app.made(files(), f"/{skill['id']}/versions")
    gone = await app.delete(f"/{skill['id']}/versions/{version['id']}")
    assert gone.json == {"id": version["id"], "type": "skill_version_deleted"}
    assert (await app.get(f"/{skill['id']}")).json["latest_version_id"] == skill["latest_version_id"]
    assert error_of(await app.delete(f"/{skill['id']}/versions/{version['id']}"))[0] == 404
    status, kind, message, _ = error_of(await app.delete(f"/{skill['id']}/versions/latest"))
    assert (status, kind) == (400, "invalid_request_error")
    assert message.startswith("The only version of a skill cannot be deleted.")


@pytest.mark.promise("skills.workspaces")
async def test_skills_of_another_workspace_are_not_there(tmp_path: Path) -> None:
    async with skills_app(tmp_path, api_keys=KEYS) as app:
        skill = await app.made(headers=MINE)
        path = f"/{skill['id']}"
        version = f"{path}/versions/{skill['latest_version_id']}"
        assert (await app.get(headers=THEIRS)).json["data"] == []
        for one in (path, f"{path}/versions", version, f"{version}/content"):
            assert (await app.get(one, headers=MINE)).status == 200
            assert (await app.get(one, headers=THEIRS)).status == 404
        assert (await app.delete(version, THEIRS)).status == (await app.delete(path, THEIRS)).status == 404
        assert (await app.send(uploaded(files()), f"{path}/versions", THEIRS)).status == 404
        assert (await app.get(path, headers=MINE)).json == skill


def owned(folder: Path, *names: str) -> SkillSettings:
    """Settings of an owner who has such skills."""
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "SKILL.md").write_bytes(manifest(name, f"Of {name}."))
    return SkillSettings((str(folder),))


@pytest.mark.promise("skills.listed", "skills.own")
async def test_the_list_is_walked_by_source_with_the_owners_own_behind_the_others(tmp_path: Path) -> None:
    async with skills_app(tmp_path, skills=owned(tmp_path / "own", "pdf", "docx", "claude-like")) as app:
        made = [(await app.made())["id"] for _ in range(3)][::-1]
        own = ["claude-like", "docx", "pdf"]
        for limit in range(1, 8):
            assert [one["id"] for one in await app.pages(query=f"limit={limit}")] == made + own
        assert [one["id"] for one in await app.pages(query="limit=2&source=custom")] == made
        assert [one["id"] for one in await app.pages(query="limit=2&source=anthropic")] == own
        assert [one["id"] for one in await app.pages(headers=BETA)] == made + own
        assert error_of(await app.get(query="source=mine"))[2] == "source: Input should be 'custom' or 'anthropic'"
        assert (await app.get(query="limit=1000")).status == 200
        for query, headers in (("limit=1001", None), ("limit=101", BETA), ("limit=0", None), ("page=x", None)):
            assert error_of(await app.get(query=query, headers=headers))[0] == 400


@pytest.mark.promise("skills.own")
async def test_the_owners_skills_go_by_their_names_and_nobody_changes_them(tmp_path: Path) -> None:
    async with skills_app(tmp_path, skills=owned(tmp_path / "own", "pdf")) as app:
        skill: Any = (await app.get("/pdf")).json
        assert (skill["display_name"], skill["source"]) == ("pdf", {"type": "anthropic"})
        [version] = await app.pages("/pdf/versions")
        assert version["id"] == skill["latest_version_id"]
        assert (await app.get(f"/pdf/versions/{version['id']}")).json == version
        assert (version["name"], version["description"]) == ("pdf", "Of pdf.")
        assert (await app.get("/pdf", headers=BETA)).json["latest_version"] == version["id"]
        assert (await app.get("/pdf/versions/skver_x")).status == 404
        for answer in (
            await app.delete("/pdf"),
            await app.delete(f"/pdf/versions/{version['id']}"),
            await app.send(uploaded(files("pdf")), "/pdf/versions"),
            await app.get(f"/pdf/versions/{version['id']}/content"),
        ):
            assert error_of(answer)[:2] == (400, "invalid_request_error")


@pytest.mark.promise("skills.quota")
async def test_uploads_beyond_the_quota_are_refused_until_there_is_room(tmp_path: Path) -> None:
    async with skills_app(tmp_path, skills=SkillSettings(quota=1000)) as app:
        skill = await app.made()
        answer = await app.send(
            uploaded({**files("other"), "other/noise": b"".join(bytes([n]) for n in range(256)) * 4})
        )
        assert error_of(answer)[0::3] == (400, "storage_quota_exceeded")
        await app.delete(f"/{skill['id']}")
        assert (await app.send(uploaded(files()))).status == 200


@pytest.mark.promise("skills.no-store")
async def test_a_server_that_keeps_nothing_has_no_skills_to_upload_to() -> None:
    from tests.web.files_app import files_app

    async with files_app() as app:
        assert (await app.bridge.ask("GET", "/v1/skills")).status == 404
