"""SQLAlchemy's asynchronous connections without its mapper of objects, which nothing here uses.

`sqlalchemy.ext.asyncio` imports the mapper for sessions: 7 MiB in every server. What is wanted of it is in one of its
modules, which needs the Core alone.
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy.ext

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

_PACKAGE: Final = "sqlalchemy.ext.asyncio"


def _engines() -> Any:
    """The module with connections and engines. Who imports the package itself later gets all of it."""
    if _PACKAGE in sys.modules:
        return importlib.import_module(f"{_PACKAGE}.engine")
    bare = ModuleType(_PACKAGE)
    bare.__path__ = [f"{place}/asyncio" for place in sqlalchemy.ext.__path__]
    sys.modules[_PACKAGE] = bare
    try:
        return importlib.import_module(f"{_PACKAGE}.engine")
    except ImportError:  # of a version in which it does need the rest
        del sys.modules[_PACKAGE]
        return importlib.import_module(_PACKAGE)
    finally:
        if sys.modules.get(_PACKAGE) is bare:
            del sys.modules[_PACKAGE]


if not TYPE_CHECKING:
    _found = _engines()
    AsyncConnection = _found.AsyncConnection
    AsyncEngine = _found.AsyncEngine
    create_async_engine = _found.create_async_engine

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]
