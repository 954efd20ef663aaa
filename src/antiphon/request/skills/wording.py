"""What is said of files that are no skill, and of skills that cannot be had.

Source: Skills page, and reports on its uploads (anthropic-sdk-python#1575, anthropic-sdk-typescript#1066).
"""

from typing import Final

from antiphon.errors import ApiError, InvalidRequest

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


def other_name(sent: str, name: str) -> InvalidRequest:
    """A new version is of another skill."""
    return InvalidRequest(
        f"The name '{shown(sent)}' in SKILL.md must stay '{name}': all versions of a skill have the same name."
    )


def unknown_skill(id_: str) -> ApiError:
    """There is no such skill, or it is another workspace's."""
    return ApiError("not_found_error", f"Skill `{shown(id_)}` not found.")


def unknown_version(id_: str, version: str) -> ApiError:
    """The skill has no such version."""
    return ApiError("not_found_error", f"Version `{shown(version)}` of skill `{shown(id_)}` not found.")


def only_version() -> InvalidRequest:
    """A skill holds one version at least."""
    return InvalidRequest("The only version of a skill cannot be deleted. Delete the skill, or add a version first.")


def the_owners() -> InvalidRequest:
    """A skill that comes with the server is not a client's to change."""
    return InvalidRequest("This skill comes with the server: it can be used, and neither changed nor downloaded.")


def not_on_this_server(path: str, id_: str) -> InvalidRequest:
    """One of the vendor's skills, of which none are here, or one that the owner has not added."""
    return InvalidRequest(
        f"{path}: the skill '{shown(id_)}' is not on this server. None of the vendor's skills come with it; its "
        "owner adds a skill of that name as a folder with a SKILL.md, in one of the `folders` of [skills] in the "
        "configuration file. A skill that you have uploaded has the type 'custom'."
    )


def no_room() -> InvalidRequest:
    """All skills together would be more than may be kept, or than there is room for."""
    return InvalidRequest(
        "Skill storage is full. Delete skills or versions that are no longer needed, and upload this one again.",
        details={"error_code": "storage_quota_exceeded"},
    )


def shown(text: str) -> str:
    """What a client has said, in so many characters at most."""
    return text if len(text) <= 100 else f"{text[:100]}…"
