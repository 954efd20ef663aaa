"""What each model name promises: rules as data, one profile a model, aliases beside it.

The data is TOML (`data.toml` in this package, more from the owner's configuration); this package parses it and
never reads a file. Source: the API's model pages, snapshot of autumn 2026.
"""

from antiphon.profiles.catalogue import Catalogue, parse_catalogue
from antiphon.profiles.fields import ProfileError
from antiphon.profiles.profile import EFFORTS, Effort, Profile

__all__ = ["EFFORTS", "Catalogue", "Effort", "Profile", "ProfileError", "parse_catalogue"]
