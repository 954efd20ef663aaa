"""Which files are a skill."""

import pytest

from antiphon.errors import InvalidRequest
from antiphon.ports.skills import SkillFile
from antiphon.request.skills import bundle
from antiphon.request.skills.bundle import bundle_of
from antiphon.request.skills.wording import MOST_BYTES, MOST_FILES

MANIFEST = b"---\nname: my-skill\ndescription: Does it.\n---\n"


def sent(*paths: str) -> list[tuple[str, SkillFile]]:
    return [(path, SkillFile(MANIFEST)) for path in paths]


def refusal(*paths: str, zipped: bool = False) -> str:
    with pytest.raises(InvalidRequest) as refused:
        bundle_of(sent(*paths), zipped=zipped)
    return refused.value.message


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (("SKILL.md",), {"SKILL.md"}),
        (("my-skill/SKILL.md", "my-skill/scripts/a.py"), {"SKILL.md", "scripts/a.py"}),
        (("./SKILL.md", "scripts/SKILL.md"), {"SKILL.md", "scripts/SKILL.md"}),
        (("my-skill/SKILL.md", "__MACOSX/my-skill/._SKILL.md", "my-skill/.DS_Store"), {"SKILL.md"}),
        (("SKILL.md", "Übersicht 😀.md"), {"SKILL.md", "Übersicht 😀.md"}),
    ],
)
def test_the_files_of_one_folder_are_a_skill(paths: tuple[str, ...], kept: set[str]) -> None:
    made = bundle_of(sent(*paths))
    assert set(made.files) == kept
    assert made.front.name == "my-skill"


@pytest.mark.parametrize("paths", [(), ("a.md",), ("my-skill/a/SKILL.md",), ("a/SKILL.md", "b/a.md"), ("skill.md",)])
def test_without_a_manifest_at_the_top_there_is_no_skill(paths: tuple[str, ...]) -> None:
    assert refusal(*paths) == "SKILL.md file must be exactly in the top-level folder."


def test_a_zip_says_how_many_manifests_it_needs() -> None:
    assert refusal("a.md", zipped=True) == "Zip must contain exactly one SKILL.md file."
    assert refusal("a/SKILL.md", "b/SKILL.md", zipped=True) == "Zip must contain exactly one SKILL.md file."
    assert refusal("a/b/SKILL.md", zipped=True) == "SKILL.md file must be exactly in the top-level folder."


def test_the_folder_is_called_as_the_skill_is() -> None:
    assert refusal("skills/SKILL.md") == "The folder name 'skills' must match the skill name 'my-skill' in SKILL.md."


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "needs a name"),
        ("/etc/passwd", "relative"),
        ("C:/a", "relative"),
        ("../a", "'..'"),
        ("a/../../b", "'..'"),
        ("a//b", "empty parts"),
        ("a/./b", "'.'"),
        ("a/", "empty parts"),
        ("a\\b", "forward slashes"),
        ("a\0b", "control characters"),
        ("a\nb", "control characters"),
        ("a\ud800", "control characters"),
        ("a" * 256, "too long"),
        ("a/" * 300 + "b", "too long"),
        ("SKILL.md", "another file"),
        ("Skill.MD", "another file"),
        ("SKILL.md/a", "another file"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str, reason: str) -> None:
    message = refusal("SKILL.md", path)
    assert message.startswith("Skill upload has an invalid file path")
    assert reason in message


def test_a_file_is_no_folder_and_two_spellings_are_one_name() -> None:
    assert "another file" in refusal("SKILL.md", "a/b", "a")
    assert "another file" in refusal("SKILL.md", "\u00e9", "e\u0301")


def test_files_are_counted_and_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "too many files" in refusal("SKILL.md", *(f"{n}.md" for n in range(MOST_FILES)))
    assert MOST_BYTES == 30 * 1024 * 1024
    monkeypatch.setattr(bundle, "MOST_BYTES", len(MANIFEST) * 2)
    assert len(bundle_of(sent("SKILL.md", "a")).files) == 2
    assert "30 MB" in refusal("SKILL.md", "a", "b")
