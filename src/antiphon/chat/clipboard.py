"""The picture in the system's clipboard, by whichever tool for it is there."""

import base64
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from antiphon.chat.attaching import MOST_BYTES, block_of
from antiphon.chat.problems import ChatError, Json

PATIENCE: Final = 20.0
"""Seconds that a tool may take; PowerShell takes some of them to start."""

_KINDS: Final = ("image/png", "image/jpeg", "image/webp", "image/gif")

_MISSING: Final = (
    "Nothing here reads the clipboard. On Linux install wl-clipboard (Wayland) or xclip (X11); macOS has osascript, "
    "Windows PowerShell. /attach takes the path of a file."
)

_POWERSHELL: Final = (
    "Add-Type -AssemblyName System.Windows.Forms, System.Drawing; "
    "$image = [System.Windows.Forms.Clipboard]::GetImage(); "
    "if ($image -ne $null) { $stream = New-Object System.IO.MemoryStream; "
    "$image.Save($stream, [System.Drawing.Imaging.ImageFormat]::Png); "
    "[Console]::Out.Write([Convert]::ToBase64String($stream.ToArray())) }"
)

_APPLE: Final = re.compile(rb"\xc2\xabdata \w{4}([0-9A-F]+)\xc2\xbb")
"""How AppleScript writes bytes: «data PNGf89504E47…»."""


class _Unasked(Exception):  # noqa: N818 - not wrong in itself
    """The tool cannot ask the clipboard. The text is its own."""


@dataclass(frozen=True, slots=True)
class _Way:
    """`program`: has to be there. `take`: the picture's bytes, none where there is no picture; `_Unasked`."""

    program: str
    take: Callable[[str], bytes]


def picture() -> Json:
    """The block for the picture in the clipboard. Raises `ChatError` where there is none, or nobody can say."""
    said: list[str] = []
    asked = False
    for way in _WAYS:
        program = shutil.which(way.program)
        if program is None:
            continue
        try:
            data = way.take(program)
        except _Unasked as problem:
            said.append(f"{way.program}: {problem}")
            continue
        asked = True
        if data:
            return _block(data)
    if asked:
        raise ChatError("There is no picture in the clipboard.")
    raise ChatError(f"The clipboard cannot be read: {'; '.join(said)}" if said else _MISSING)


def _block(data: bytes) -> Json:
    if len(data) > MOST_BYTES:
        raise ChatError(f"The picture in the clipboard is larger than {MOST_BYTES // 1_000_000} MB.")
    try:
        block = block_of(data)
    except ChatError:
        block = {}
    if block.get("type") != "image":
        raise ChatError("The picture in the clipboard is none of PNG, JPEG, GIF and WebP.")
    return block


def _wayland(program: str) -> bytes:
    return _typed(_run([program, "--list-types"], nothing=b"Nothing is copied"), [program, "--type"])


def _x11(program: str) -> bytes:
    selection = [program, "-selection", "clipboard", "-o", "-t"]
    return _typed(_run([*selection, "TARGETS"], nothing=b"not available"), selection)


def _typed(offered: bytes, asks: Sequence[str]) -> bytes:
    """The picture in the best of the kinds that are offered, asked for by that kind."""
    kinds = offered.decode("utf-8", "replace").split()
    kind = next((kind for kind in _KINDS if kind in kinds), None)
    return b"" if kind is None else _run([*asks, kind])


def _pngpaste(program: str) -> bytes:
    return _run([program, "-"], nothing=b"No image data")


def _applescript(program: str) -> bytes:
    # -1700: it cannot be made the class that is wanted, which is how AppleScript says that it is something else.
    written = _run([program, "-e", "the clipboard as «class PNGf»"], nothing=b"-1700")
    found = _APPLE.search(written)
    return b"" if found is None else bytes.fromhex(found[1].decode())


def _powershell(program: str) -> bytes:
    return base64.b64decode(_run([program, "-NoProfile", "-STA", "-Command", _POWERSHELL]))


def _run(command: Sequence[str], nothing: bytes = b"") -> bytes:
    """What the program writes; nothing where it fails and says this. Raises `_Unasked`."""
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise _Unasked(f"it said nothing for {PATIENCE:g} s") from None
    except OSError as problem:
        raise _Unasked(problem.strerror or str(problem)) from problem
    if done.returncode == 0:
        return done.stdout
    if nothing and nothing in done.stderr:
        return b""
    told = done.stderr.decode("utf-8", "replace").strip().splitlines()
    raise _Unasked(told[0] if told else f"it ended with code {done.returncode}")


_WAYS: Final = (
    _Way("wl-paste", _wayland),
    _Way("xclip", _x11),
    _Way("pngpaste", _pngpaste),
    _Way("osascript", _applescript),
    _Way("powershell.exe", _powershell),
)
