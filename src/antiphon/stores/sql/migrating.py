"""The schema of a database, brought to what this version wants."""

from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from antiphon.ports.stores import StoreUnfit
from antiphon.stores.sql.tables import metadata

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_LOCK: Final = 0x616E_7469_7068  # "antiph"
"""What processes that start at once on one PostgreSQL wait for."""


def migrate(connection: Connection) -> None:
    """Bring the schema up to date, within the transaction that is open; other processes wait for its end.

    SQLite lets nobody else write anyway. Raises `StoreUnfit` where a newer version has been here.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    scripts = ScriptDirectory(str(MIGRATIONS))
    if check(connection, scripts) == tuple(scripts.get_heads()):
        return

    def steps(revision: Any, _: MigrationContext) -> Any:
        return scripts._upgrade_revs("head", revision)  # pyright: ignore[reportPrivateUsage] - as Alembic's own command

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()


def check(connection: Connection, scripts: ScriptDirectory | None = None) -> tuple[str, ...]:
    """The revision that the database is at; none yet: empty. Raises `StoreUnfit` where a newer version has been."""
    scripts = scripts or ScriptDirectory(str(MIGRATIONS))
    found = MigrationContext.configure(connection).get_current_heads()
    known = {script.revision for script in scripts.walk_revisions()}
    if strange := sorted(set(found) - known):
        raise StoreUnfit(
            f"its tables are of a newer Antiphon (revision {', '.join(strange)}; this one knows up to "
            f"{', '.join(sorted(scripts.get_heads()))}). Start that version, or name another database"
        )
    return found
