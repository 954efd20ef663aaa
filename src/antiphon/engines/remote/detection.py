"""Which engine is at a URL, found out by asking for what only one of them answers."""

from typing import Final, Literal

from antiphon.engines.remote.connection import Connection, EngineBroken, EngineLocked
from antiphon.errors import EngineDied, EngineRefused

EngineKind = Literal["llama-server", "vllm", "sglang"]

_PATIENCE: Final = 10.0
_SIGNS: Final[tuple[tuple[EngineKind, str, str], ...]] = (
    ("llama-server", "/props", "default_generation_settings"),
    ("sglang", "/model_info", "model_path"),
    ("sglang", "/get_model_info", "model_path"),
    ("vllm", "/version", "version"),
)
"""Engine, the path of a question, and a key of its answer. The last is what others might answer too."""


async def detect(connection: Connection) -> EngineKind:
    """The engine at the connection's URL.

    Raises `EngineUnavailable` where nobody answers, `EngineRefused` where it is none that is known, or the key is
    wrong.
    """
    said = "it answered, and said nothing that is known"
    for kind, path, sign in _SIGNS:
        try:
            if sign in await connection.get(path, patience=_PATIENCE):
                return kind
        except EngineLocked as problem:
            raise EngineRefused(
                f"{connection.url} wants {'another key' if connection.access.key else 'a key'}: name the environment "
                f"variable that holds it, with --engine-key-env or key_env ({problem})"
            ) from problem
        except (EngineRefused, EngineDied, EngineBroken) as problem:
            said = str(problem)
    raise EngineRefused(
        f"what answers at {connection.url} is neither llama-server nor vLLM nor SGLang, or a router hides it: say "
        f"with `engine` which it is ({said})"
    )
