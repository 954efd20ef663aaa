"""Models in vLLM and SGLang: what is at the URL is found out, with its tokenizer."""

from pathlib import Path

import pytest

from antiphon.compose.token_endpoints import token_endpoints
from antiphon.engines.remote.connection import Access, Connection
from antiphon.errors import EngineRefused
from antiphon.weights.errors import WeightsError
from tests.engines.foreign import free_port
from tests.engines.token_engines.model import tokenizer_directory
from tests.engines.token_engines.serving import PlayedEngine
from tests.engines.token_engines.sglang import PlayedSglang
from tests.engines.token_engines.vllm import PlayedVllm

ENGINES: dict[str, type[PlayedEngine]] = {"vllm": PlayedVllm, "sglang": PlayedSglang}
engines = pytest.mark.parametrize("engine", ENGINES)


@engines
@pytest.mark.promise("remote-tokens.tokenizer-found")
async def test_the_tokenizer_that_is_named_is_taken_for_all_endpoints(engine: str):
    async with ENGINES[engine](window=512) as played:
        connections = [Connection(Access(url)) for url in (played.url, f"http://127.0.0.1:{free_port()}")]
        made = await token_endpoints(engine, connections, str(tokenizer_directory()))
        assert [each.url for each in made] == [each.url for each in connections]
        assert (await made[0].learn()).missing == ()
        for each in made:
            await each.aclose()


@engines
@pytest.mark.promise("remote-tokens.tokenizer-found")
async def test_without_a_name_it_is_the_engines_own_where_that_is_here(engine: str, monkeypatch: pytest.MonkeyPatch):
    async with ENGINES[engine](window=512) as played:
        away, connection = (Connection(Access(url)) for url in (f"http://127.0.0.1:{free_port()}", played.url))
        played.root = str(tokenizer_directory())
        (first, _) = await token_endpoints(engine, [away, connection], None)
        assert len(await first.tokenize(())) == 0
        played.root = "/models/of/another/machine"
        with pytest.raises(EngineRefused, match=r"say with --tokenizer .* has the model from /models/of/another"):
            await token_endpoints(engine, [connection], None)
        played.root = "org/repo"
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        with pytest.raises(WeightsError, match="hf:org/repo"):
            await token_endpoints(engine, [connection], None)
        for each in (away, connection):
            await each.aclose()


async def test_a_tokenizer_that_is_not_there_is_said(tmp_path: Path):
    connection = Connection(Access("http://127.0.0.1:9"))
    with pytest.raises(WeightsError, match=r"no tokenizer\.json"):
        await token_endpoints("vllm", [connection], str(tmp_path))
    await connection.aclose()
