"""What an application does with skills through the official Python SDK's public API only, in any line of it.

Prints one JSON object, a key a scenario. Imports nothing of Antiphon. FRONTS: servers that calls go to in turn.
FOLDER: has the folder `roman-numerals` and `roman.zip`, which is of the same skill with another description.
"""

import io
import itertools
import json
import os
import sys
import traceback
import zipfile
from pathlib import Path

import anthropic
from anthropic.lib import files_from_dir

FOLDER = Path(os.environ["FOLDER"])
FRONTS = os.environ["FRONTS"].split(",")
clients = itertools.cycle([anthropic.Anthropic(base_url=front, max_retries=0) for front in FRONTS])
CODE = {"type": "code_execution_20250825", "name": "code_execution"}


def client():
    return next(clients)


NEW = hasattr(client(), "skills")


def skills():
    # 0.x has them in the beta alone, whose header it sends by itself.
    return client().skills if NEW else client().beta.skills


def latest(skill):
    return skill.latest_version_id if NEW else skill.latest_version


def named(version):
    return version.id if NEW else version.version


def lives():
    skill = skills().create(files=files_from_dir(FOLDER / "roman-numerals"))
    second = skills().versions.create(skill.id, files=[("any.zip", (FOLDER / "roman.zip").read_bytes())])
    now = skills().retrieve(skill.id)
    versions = [named(one) for one in skills().versions.list(skill.id, limit=1)]
    first = skills().versions.retrieve(latest(skill), skill_id=skill.id)
    others = [skills().create(files=files_from_dir(FOLDER / "roman-numerals")).id for _ in range(3)]
    listed = [one.id for one in skills().list(limit=2, source="custom")]
    gone = skills().versions.delete(named(second), skill_id=skill.id)
    back = skills().retrieve(skill.id)
    deleted = [skills().delete(id_).type for id_ in [skill.id, *others]]
    return {
        "type": skill.type,
        "source": skill.source.type if NEW else skill.source,
        "title": skill.display_name if NEW else skill.display_title,
        "newest": latest(now) == named(second),
        "versions": versions == [named(second), latest(skill)],
        "first": [first.name, first.description[:14]],
        "second": second.description,
        "listed": listed == [*reversed(others), skill.id],
        "gone": [gone.type, gone.id == named(second), latest(back) == latest(skill)],
        "deleted": deleted,
        "after": error(lambda: skills().retrieve(skill.id)),
        "left": [one.id for one in skills().list(source="custom")],
    }


def betas():
    """Both lines have the endpoints of the beta; the newer one answers in the new shapes unless asked for the old."""
    beta = client().beta.skills
    skill = beta.create(files=files_from_dir(FOLDER / "roman-numerals"))
    old = client().beta.skills.retrieve(skill.id, betas=["skills-2025-10-02"]).to_dict()
    version = client().beta.skills.versions.list(skill.id).data[0]
    downloaded = client().beta.skills.versions.download(named(version), skill_id=skill.id).read()
    with zipfile.ZipFile(io.BytesIO(downloaded)) as archive:
        names = sorted(archive.namelist())
    client().beta.skills.delete(skill.id)
    return {"old": [old["display_title"], old["source"], old["latest_version"].isdecimal()], "names": names}


def used():
    skill = skills().create(files=files_from_dir(FOLDER / "roman-numerals"))
    chosen = [{"type": "custom", "skill_id": skill.id, "version": "latest"}]
    asked = {
        "model": "claude-opus-4-8",
        "max_tokens": 1000,
        "tools": [CODE],
        "messages": [{"role": "user", "content": "What is 2026 in Roman numerals?"}],
    }

    def messages():
        return client().messages if NEW else client().beta.messages

    more = {} if NEW else {"betas": ["skills-2025-10-02"]}
    first = messages().create(container={"skills": chosen}, **asked, **more)
    with messages().stream(container={"id": first.container.id, "skills": chosen}, **asked, **more) as stream:
        again = stream.get_final_message()
    without = messages().create(**asked, **more)
    skills().delete(skill.id)
    return {
        "printed": [block.content.stdout for block in first.content if block.type.startswith("bash_")][1],
        "text": first.content[-1].text,
        "again": again.content[-1].text,
        "same": again.container.id == first.container.id,
        "echoed": [
            [one.type, one.skill_id == skill.id, one.version == latest(skill)]
            for one in [*first.container.skills, *again.container.skills]
        ],
        "without": without.content[-1].text,
        "deleted": error(lambda: messages().create(container={"skills": chosen}, **asked, **more)),
    }


def error(call):
    try:
        call()
    except anthropic.APIStatusError as problem:
        return [problem.status_code, problem.body["error"]["type"]]
    return "no error"


def main():
    results = {}
    for scenario in (lives, betas, used):
        try:
            results[scenario.__name__] = scenario()
        except Exception:
            results[scenario.__name__] = {"raised": traceback.format_exc()}
    json.dump(results, sys.stdout)


main()
