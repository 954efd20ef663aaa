"""`[routes]`, `[aliases]` and `[profiles]`: names that requests may use, and what they stand for."""

from typing import Final

from antiphon.config.option import Table

ROUTES: Final = Table(
    "routes",
    "API model name, or a pattern of some = id of the served model that answers for it, or a list of ids, of which "
    "the first answers that is up; the default one answers otherwise.",
)
ALIASES: Final = Table("aliases", "New model name = name of the profile whose rules it follows.")
PROFILES: Final = Table("profiles", "Rules of further model names, one table a name, merged over the built-in ones.")
