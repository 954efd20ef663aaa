"""A real llama-server that is not ours: what only a real one can show."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.remote.connection import Access, Connection
from antiphon.engines.remote.detection import detect
from antiphon.engines.remote.endpoint import Findings
from antiphon.engines.remote.llama_server import LlamaServer
from antiphon.errors import EngineRefused
from antiphon.ports.engine import Done, EngineOutput, Generation, PrefillProgress
from tests.engines.foreign import Foreign, ForeignServer, free_port
from tests.engines.implementations import GREEDY
from tests.engines.remote.fake_llama import fake_llama
from tests.engines.remote.stand_in import says
from tests.engines.seeing import QUESTION, asked, picture, projector_file
from tests.engines.shallow import shallow_file, shallow_path

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seeing(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[LlamaServer, Findings]]:
    """A server with a projector and a path prefix, which asks for a key; and what was found there."""
    projector = projector_file(Path(tmp_path_factory.mktemp("projector")))
    settings = Foreign(
        str(shallow_path()), free_port(), window=1024, parallel=1, prefix="/llama", projector=str(projector)
    )
    server = await ForeignServer.start(settings)
    endpoint = LlamaServer(Connection(Access(settings.url, settings.key)))
    yield endpoint, await endpoint.learn()
    await endpoint.aclose()
    await server.kill()


async def run(endpoint: LlamaServer, *parts: Segment | str) -> tuple[RenderedPrompt, list[EngineOutput]]:
    segments = asked(*parts)
    prompt = RenderedPrompt(segments, await endpoint.tokenize(segments))
    return prompt, [output async for output in endpoint.generate(Generation(prompt, 3, GREEDY), 3)]


async def test_a_real_server_tells_all_that_is_needed(seeing: tuple[LlamaServer, Findings]):
    _, found = seeing
    assert found.missing == ()
    assert (found.card.window, found.places, found.card.sees) == (1024, 1, True)
    assert found.card.special_tokens == shallow_file().special_tokens
    assert found.card.chat_template
    assert [row.says for row in found.rows if row.subject == "pictures"] == ["seen, and counted as they are read"]


@pytest.mark.promise("remote.whole-api")
@pytest.mark.parametrize(("width", "height"), [(64, 64), (300, 200)])
async def test_pictures_are_counted_as_they_are_read(seeing: tuple[LlamaServer, Findings], width: int, height: int):
    endpoint, found = seeing
    prompt, outputs = await run(endpoint, picture(width, height), QUESTION, f"<|im_end|>{found.card.bos_token}")
    assert {step.total for step in outputs if isinstance(step, PrefillProgress)} == {len(prompt.tokens)}
    assert isinstance(outputs[-1], Done)


async def test_a_real_server_is_known_by_what_it_answers(seeing: tuple[LlamaServer, Findings]):
    endpoint, _ = seeing
    connection = Connection(Access(endpoint.url, "foreign"))
    assert await detect(connection) == "llama-server"
    await connection.aclose()
    locked = Connection(Access(endpoint.url))
    with pytest.raises(EngineRefused, match=r"wants a key: .*--engine-key-env"):
        await detect(locked)
    await locked.aclose()


async def test_what_is_no_engine_is_told_so():
    async with fake_llama() as fake:
        fake.sick = says(404, {})
        connection = Connection(Access(fake.url))
        with pytest.raises(EngineRefused, match="neither llama-server nor vLLM nor SGLang"):
            await detect(connection)
        await connection.aclose()


@pytest.mark.promise("remote.frees-engines")
async def test_hanging_up_while_a_real_server_reads_frees_it(seeing: tuple[LlamaServer, Findings], patience: float):
    endpoint, _ = seeing
    segments = (Segment("word " * 900),)
    prompt = RenderedPrompt(segments, await endpoint.tokenize(segments))
    outputs = endpoint.generate(Generation(prompt, 5, GREEDY), 5)
    assert isinstance(await anext(outputs), PrefillProgress)
    await outputs.aclose()
    async with asyncio.timeout(patience):
        _, after = await run(endpoint, "Hi")
    assert isinstance(after[-1], Done)
