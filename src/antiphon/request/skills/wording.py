"""What is said of files that are no skill.

Source: Skills page, and reports on its uploads (anthropic-sdk-python#1575, anthropic-sdk-typescript#1066).
"""

from typing import Final

from antiphon.errors import InvalidRequest

MOST_BYTES: Final = 30 * 1024 * 1024
"""Of all files of a skill together, unpacked."""

MOST_FILES: Final = 1000

_MEGABYTE: Final = 1024 * 1024


def too_large() -> InvalidRequest:
    """The files are too large together."""
    return InvalidRequest(
        f"Skill upload exceeds the maximum size: all files have {MOST_BYTES // _MEGABYTE} MB at most, uncompressed."
    )


def too_many() -> InvalidRequest:
    """There are too many files."""
    return InvalidRequest(f"Skill upload has too many files: {MOST_FILES} at most.")


def bad_path(path: str, reason: str) -> InvalidRequest:
    """A file may not be called so."""
    return InvalidRequest(f"Skill upload has an invalid file path {shown(path)!r}: {reason}.")


def bad_zip(reason: str) -> InvalidRequest:
    """An archive cannot be taken."""
    return InvalidRequest(f"Skill upload is not a valid zip archive: {reason}.")


def not_at_the_top() -> InvalidRequest:
    """There is no SKILL.md where it has to be."""
    return InvalidRequest("SKILL.md file must be exactly in the top-level folder.")


def not_exactly_one() -> InvalidRequest:
    """There is no SKILL.md in a zip, or there are several, and none at the top."""
    return InvalidRequest("Zip must contain exactly one SKILL.md file.")


def other_folder(folder: str, name: str) -> InvalidRequest:
    """The folder is not called as the skill is."""
    return InvalidRequest(f"The folder name '{shown(folder)}' must match the skill name '{shown(name)}' in SKILL.md.")


def bad_front(reason: str) -> InvalidRequest:
    """The head of SKILL.md is not as it has to be."""
    return InvalidRequest(f"SKILL.md: {reason}")


def shown(text: str) -> str:
    """What a client has said, in so many characters at most."""
    return text if len(text) <= 100 else f"{text[:100]}…"
