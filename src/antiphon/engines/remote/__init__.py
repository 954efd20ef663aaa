"""Models in engines that somebody else runs: vLLM, SGLang, llama-server, at one URL or many.

endpoint       what one engine at one URL is asked for; the rest of the package is made of these
"""
