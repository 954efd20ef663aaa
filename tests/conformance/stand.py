"""A right server for the checks: the whole API over a scripted model, with batches and keys."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from antiphon.config import StoreSettings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.testing import engine_app
from antiphon.testing.listening import LoopThread, listening

KEY = "sk-right"
MODEL = "scripted"
SCRIPT = '''
[[reply]]
match = "Call the tool"
text = """<function_calls>
<invoke name="conformance_probe">
<parameter name="colour">red</parameter>
</invoke>
</function_calls>"""

[[reply]]
match = "as JSON"
text = '{"colour": "red"}'

[[reply]]
match = "Count from"
text = "One, two, three, four, five, six, seven, eight, nine, ten."

[default]
text = "Hello there, my friend."
'''


@contextmanager
def right_server(data: Path) -> Generator[str]:
    """Its URL. `data`: where it keeps what it keeps."""
    with LoopThread() as thread, thread.inside(_serving(data)) as url:
        yield url


@asynccontextmanager
async def _serving(data: Path) -> AsyncGenerator[str]:
    stores = StoreSettings(data=str(data))
    async with (
        engine_app(ScriptedEngine(MODEL, SCRIPT), api_keys=(KEY,), stores=stores) as bridge,
        listening(bridge.app) as url,
    ):
        yield url
