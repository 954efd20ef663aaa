"""A llama.cpp server that somebody else started, as an endpoint.

endpoint     what it is asked for
calls        its questions, over a connection
vocabulary   its tokenizer: which texts are control tokens
probes       what is tried before it is believed
"""

from antiphon.engines.remote.llama_server.endpoint import LlamaServer

__all__ = ["LlamaServer"]
