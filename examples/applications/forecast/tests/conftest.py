import anthropic
import pytest


@pytest.fixture
def client(antiphon_base_url, antiphon_api_key):
    with anthropic.Anthropic(base_url=antiphon_base_url, api_key=antiphon_api_key) as client:
        yield client
