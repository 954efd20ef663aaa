"""Tools from a Python file: what it decorates with `beta_tool`, or else its functions."""

import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from anthropic.lib.tools import BetaAsyncFunctionTool, BetaBuiltinFunctionTool, BetaFunctionTool, beta_tool

from antiphon.chat.problems import ChatError


def tools_from(path: Path) -> list[Any]:
    """The tools of a file. Raises `ChatError` where it cannot be run, or has none."""
    module = _run(path)
    held = list(vars(module).values())
    for tool in held:
        if isinstance(tool, BetaAsyncFunctionTool):
            raise ChatError(f"{path}: {tool.name} is asynchronous; tools of a chat are plain functions")
    tools: list[Any] = [tool for tool in held if isinstance(tool, BetaFunctionTool | BetaBuiltinFunctionTool)]
    if tools:
        return tools
    own = [each for each in held if inspect.isfunction(each) and each.__module__ == module.__name__]
    tools += [_tool(path, function) for function in own if not function.__name__.startswith("_")]
    if not tools:
        raise ChatError(f"{path}: there is no function in it")
    return tools


def _tool(path: Path, function: Any) -> Any:
    name = function.__name__
    if inspect.iscoroutinefunction(function):
        raise ChatError(f"{path}: {name} is asynchronous; tools of a chat are plain functions")
    if not function.__doc__:
        raise ChatError(f"{path}: {name} has no docstring, which tells the model what it is for")
    try:
        return beta_tool(function)
    except Exception as problem:
        # Whatever pydantic makes of a signature that has no schema.
        raise ChatError(f"{path}: {name} cannot be a tool: {problem}") from problem


def _run(path: Path) -> ModuleType:
    path = path.expanduser()
    if not path.is_file():
        raise ChatError(f"{path}: there is no such file")
    name = f"antiphon_chat_tools_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ChatError(f"{path}: this is no Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    # Annotations are looked up in the module that a function says it is of.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        where = [frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == str(path)]
        line = f", line {where[-1]}" if where else ""
        raise ChatError(f"{path}{line}: {type(problem).__name__}: {problem}") from problem
    return module
