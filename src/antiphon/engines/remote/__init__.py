"""Models in engines that somebody else runs: vLLM, SGLang, llama-server, at one URL or many.

endpoint       what one engine at one URL is asked for; the rest of the package is made of these
connection     HTTP to one URL: questions, streams, and what goes wrong with them
sse            streams of events, out of bytes
engine         the `Engine` over all endpoints of a model
members        the endpoints, and who of them does which work
agreement      whether they have the same model
detection      which engine is at a URL
llama_server   the endpoint that is a llama.cpp server
"""
