"""Engines that take and give tokens, played: vLLM and SGLang as they were recorded and read, with a scripted model."""
