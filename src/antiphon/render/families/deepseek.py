"""DeepSeek: a section of calls between tokens, arguments fenced (V3, R1) or bare (V3.1).

Neither published template writes tool definitions. Models are known to spell the section's opening in other ways when
they do not hit the token; those spellings are read.
"""

from antiphon.render.families.syntax import CallSyntax, Family, JsonArguments, ThoughtSyntax

_SECTION = "<｜tool▁calls▁begin｜>"
_SECTION_SPELLINGS = (_SECTION, "<｜tool_calls_begin｜>", "<｜tool calls begin｜>", "<｜tool▁calls｜>")
_CONTROL = frozenset(
    {
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁call▁begin｜>",
        "<｜tool▁sep｜>",
        "<｜tool▁call▁end｜>",
        "<｜tool▁calls▁end｜>",
    }
)

_FENCED = Family(
    name="deepseek-v3",
    syntax=CallSyntax(
        triggers=_SECTION_SPELLINGS,
        section_open=_SECTION,
        call_open="<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
        lenient_opens=("function<｜tool▁sep｜>",),
        after_name="\n```json\n",
        arguments=JsonArguments(),
        call_close="\n```<｜tool▁call▁end｜>",
        lenient_closes=("```\n<｜tool▁call▁end｜>",),
        between="\n",
        section_close="<｜tool▁calls▁end｜>",
        control=_CONTROL,
    ),
    detect=(_SECTION, "```json"),
    definitions="system",
    history="fields",
    sources=(
        "ggml-org/llama.cpp models/templates/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja",
        "ggml-org/llama.cpp models/templates/llama-cpp-deepseek-r1.jinja",
        "vllm-project/vllm examples/tool_chat_template_deepseekr1.jinja",
    ),
    reasoning=(("<think>", "</think>"),),
    thought=ThoughtSyntax("<think>\n", "</think>", "\n", "\n\n", told="dropped"),
)

_COMPACT = Family(
    name="deepseek-v3.1",
    syntax=CallSyntax(
        triggers=_SECTION_SPELLINGS,
        section_open=_SECTION,
        call_open="<｜tool▁call▁begin｜>",
        after_name="<｜tool▁sep｜>",
        arguments=JsonArguments(),
        call_close="<｜tool▁call▁end｜>",
        section_close="<｜tool▁calls▁end｜>",
        control=_CONTROL,
    ),
    detect=(_SECTION,),
    definitions="system",
    history="fields",
    sources=(
        "ggml-org/llama.cpp models/templates/deepseek-ai-DeepSeek-V3.1.jinja",
        "vllm-project/vllm examples/tool_chat_template_deepseekv31.jinja",
    ),
    reasoning=(("<think>", "</think>"),),
    thought=ThoughtSyntax("<think>", "</think>", told="dropped"),
)

FAMILIES = (_FENCED, _COMPACT)
