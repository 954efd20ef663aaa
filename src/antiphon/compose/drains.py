"""Where this user says which engines are taken out of service."""

import os

from antiphon.stores.drains import Drains
from antiphon.stores.state import state_folder


def drains() -> Drains:
    """The file of this user, for all servers on this machine. Raises OSError where the user has no home."""
    return Drains(state_folder(os.environ) / "drained")


def drains_if_any() -> Drains | None:
    """The same; None where there can be no such file."""
    try:
        return drains()
    except OSError:
        return None
