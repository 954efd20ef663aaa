"""How engines that take and give tokens are spoken to, as pure functions: work → body, event → what was heard.

ask                what is asked of an engine, and what is heard from it, in neutral words
vllm_completions   vLLM's `/v1/completions`
vllm_generate      vLLM's `/inference/v1/generate`
sglang             SGLang's `/generate`
"""
