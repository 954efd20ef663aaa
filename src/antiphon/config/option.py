"""What an option is, and a table of the file: flags, variables, TOML keys, defaults and meanings in one place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.config.kinds import Kind, TextOrNone

ENV_PREFIX = "ANTIPHON_"
CONFIG_ENV = "ANTIPHON_CONFIG"
CONFIG_FILE = "antiphon.toml"


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `flag`: by default made from the name; None = no command line may say it, where every process could
    read it. `of_model`: it describes the default model, not the server. `table`: the TOML table that holds it, whose
    name the option's begins with. `unset`: what a default of None comes to. `also`: a second variable
    that people try, for options that are lists: what either names counts."""

    name: str
    kind: Kind
    default: Any
    meaning: str
    flag: str | None = field(default="")
    of_model: bool = False
    table: str = ""
    unset: str = "none"
    also: str = ""

    def __post_init__(self) -> None:
        if self.flag == "":
            object.__setattr__(self, "flag", "--" + self.name.replace("_", "-"))

    @property
    def off_flag(self) -> str | None:
        """The flag that asks for nothing, where silence would ask for something."""
        off = isinstance(self.kind, TextOrNone) and self.flag
        return "--no-" + self.flag.removeprefix("--") if off and self.flag else None

    @property
    def env(self) -> str:
        """The variable that sets this option."""
        return ENV_PREFIX + self.name.upper()

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that sets this option."""
        return (self.env, self.also) if self.also else (self.env,)

    @property
    def key(self) -> str:
        """The TOML key that sets this option, in its table."""
        return self.name.removeprefix(f"{self.table}_") if self.table else self.name

    def place_in(self, file: str) -> str:
        """Where a TOML file sets this option, as errors say it."""
        return f"{file}, [{self.table}] {self.key}" if self.table else f"{file}, {self.key}"


def key_of(
    table: str,
    defaults: Any,
    key: str,
    kind: Kind,
    meaning: str,
    *,
    flag: str | None = "",
    unset: str = "none",
) -> Option:
    """The option behind one key of a table; `defaults` is the table's value where nothing is said."""
    return Option(f"{table}_{key}", kind, getattr(defaults, key), meaning, flag, table=table, unset=unset)


Inner = Callable[[Mapping[str, Mapping[str, Any]], Mapping[str, Any], Mapping[str, str], str], Any]
"""Makes a value of the tables inside a table, the values of the keys that go with them, the environment, and what
errors call the file; `ConfigError`."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the TOML file. `settings`: what its options amount to, made of their values by key; None: someone
    reads the whole table by itself. `field`: where `Settings` keeps that, by default under the table's name.
    `inner`: reads the tables inside it, for a field of the table's name, and with them the keys `within`."""

    name: str
    meaning: str
    settings: Callable[..., Any] | None = None
    options: tuple[Option, ...] = ()
    field: str = ""
    inner: Inner | None = None
    within: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.field:
            object.__setattr__(self, "field", self.name)
