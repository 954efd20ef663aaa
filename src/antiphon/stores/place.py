"""Where a server keeps its files and its database: as folders, and as URLs."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit
from urllib.request import url2pathname

_NAME: Final = "antiphon"


def data_folder(configured: str | None, env: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The folder as configured, else in the user's data directory; absolute. `OSError` if there is no home."""
    try:
        if configured is not None:
            return Path(configured).expanduser().absolute()
        # Its specification wants a relative path there to be ignored.
        if Path(data := env.get("XDG_DATA_HOME", "")).is_absolute():
            return Path(data) / _NAME
        if platform == "win32" and (local := env.get("LOCALAPPDATA")):
            return Path(local) / _NAME
        home = Path.home()
    except RuntimeError as problem:
        raise OSError(f"this user has no home directory: {problem}") from problem
    return home / ("Library/Application Support" if platform == "darwin" else ".local/share") / _NAME


def database_in(folder: Path) -> str:
    """The URL of the database that lies in such a folder."""
    return f"sqlite:///{quote(str(folder / 'antiphon.db'))}"


def objects_in(folder: Path) -> str:
    """The URL of the objects that lie in such a folder."""
    return (folder / "objects").as_uri()


def file_of(database: str) -> Path | None:
    """The file that a database's URL names, if it is one."""
    before, _, path = database.partition(":///")
    return Path(unquote(path)) if before == "sqlite" else None


def folder_of(objects: str) -> Path | None:
    """The folder that an object store's URL names, if it is one."""
    parts = urlsplit(objects)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def shown(url: str) -> str:
    """The place as people read it, without what is secret in its URL."""
    path = file_of(url) or folder_of(url)
    if path is not None:
        return str(path)
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
