"""Engines that take and give tokens: the tokenizer on this side, and what is made of a stream of tokens.

tokenizer   segments → tokens, from the files of a Hugging Face model
pieces      token → bytes
reading     a stream of tokens → pieces of text, and where it ends
kinds       what vLLM and SGLang say of themselves, and where
probes      what is tried at an engine before it is used
endpoint    one engine at one URL
"""
