"""What every table of the file keeps to, so that a new one is a module, an entry and a field."""

from dataclasses import fields

import pytest

from antiphon.config import TABLES, ConfigError, Settings, Table, parse_settings
from antiphon.config.tables import (
    batches,
    fallbacks,
    files,
    guard,
    limits,
    mcp,
    media,
    message_threads,
    models,
    names,
    network,
    otel,
    prices,
    prompt_cache,
    sandbox,
    server_tools,
    skills,
    stores,
    thinking,
    tls,
    usage,
)

MODULES = (
    batches,
    fallbacks,
    files,
    guard,
    limits,
    mcp,
    media,
    message_threads,
    models,
    names,
    network,
    otel,
    prices,
    prompt_cache,
    sandbox,
    server_tools,
    skills,
    stores,
    thinking,
    tls,
    usage,
)
READ = [table for table in TABLES if table.settings is not None]


@pytest.mark.parametrize("table", READ, ids=lambda table: table.name)
def test_the_settings_hold_the_value_of_a_table(table: Table):
    assert table.settings is not None
    assert getattr(Settings(), table.field) == table.settings()


@pytest.mark.parametrize("table", READ, ids=lambda table: table.name)
def test_the_options_of_a_table_say_its_value_whole(table: Table):
    value = getattr(Settings(), table.field)
    assert {option.key: option.default for option in table.options if option.key not in table.within} == {
        field.name: getattr(value, field.name) for field in fields(value)
    }
    inside = getattr(Settings(), table.name)
    assert [
        getattr(inside, option.key) == option.default for option in table.options if option.key in table.within
    ] == [True] * len(table.within)
    assert {option.table for option in table.options} == {table.name}
    assert all(option.name.startswith(f"{table.name}_") for option in table.options)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_name_of_a_table_is_known_at_the_top_of_the_file_and_what_it_holds_has_a_field(table: Table):
    assert parse_settings({}, {}, {table.name: {}}) == Settings()
    assert hasattr(Settings(), table.name)
    with pytest.raises(ConfigError, match=rf"^antiphon\.toml, \[{table.name}\]: this must be a table"):
        parse_settings({}, {}, {table.name: 1})


def test_the_tables_are_those_of_the_modules():
    made = [value for module in MODULES for value in vars(module).values() if isinstance(value, Table)]
    assert sorted(table.name for table in made) == sorted(table.name for table in TABLES)
