"""Which file of tests covers a module of the core that has none of its own."""

from itertools import chain
from typing import Final

_BY_TEST: Final[dict[str, tuple[str, ...]]] = {
    "tests/web/test_messages.py": ("errors",),
    "tests/config/test_settings.py": ("config/kinds", "config/options", "config/parse", "config/visitors"),
    "tests/config/tables/test_tables.py": (
        *(
            "config/option",
            "config/reading",
            "config/tables/files",
            "config/tables/batches",
            "config/tables/media",
            "config/tables/message_threads",
            "config/tables/prompt_cache",
            "config/tables/models",
            "config/tables/names",
        ),
        *("config/tables/network", "config/tables/stores", "config/tables/thinking"),
    ),
    "tests/profiles/test_catalogue.py": ("profiles/fields", "profiles/profile"),
    "tests/render/prompt/test_contents.py": (
        *("dialogue/content", "dialogue/media", "dialogue/conversation"),
        *("render/prompt/documents", "render/prompt/pictures", "render/prompt/template", "render/prompt/mapped"),
    ),
    "tests/stream/test_encoder.py": ("dialogue/events", "wire/events", "wire/reply", "stream/fold", "stream/sse"),
    "tests/engines/test_contract.py": ("ports/engine",),
    "tests/stores/test_threads.py": ("ports/threads",),
    "tests/stores/test_files.py": ("ports/files",),
    "tests/web/test_files.py": ("request/files/wording",),
    "tests/stores/test_batches.py": ("ports/batches",),
    "tests/stores/test_objects.py": ("ports/objects", "ports/stores"),
    "tests/stores/test_leases.py": ("ports/leases",),
    "tests/render/prompt/test_builder.py": ("dialogue/rendered",),
    "tests/request/told/test_thinking.py": ("dialogue/thinking", "wire/settings"),
    "tests/request/tools/test_toolbox.py": (
        *("dialogue/tools", "wire/tools/toolsets", "request/tools/browser", "request/tools/computer"),
        *("request/tools/files", "request/tools/parameters"),
    ),
    "tests/wire/test_sdk_params.py": (
        *("wire/base", "wire/request", "wire/content/blocks", "wire/content/callers", "wire/content/citations"),
        *("wire/tools/base", "wire/tools/definitions"),
    ),
    "tests/request/test_intake_accepts.py": ("wire/content/documents",),
    "tests/request/media/test_wanted.py": ("wire/content/inline", "wire/content/sources"),
    "tests/stores/test_caching.py": ("ports/caching",),
    "tests/tools/test_web_search.py": ("wire/content/results",),
    "tests/wire/test_headers.py": ("wire/gates",),
    "tests/wire/test_schemas.py": ("wire/tools/schemas",),
    "tests/request/test_intake_limits.py": ("wire/tools/server", "request/intake"),
    "tests/schema/test_judge.py": (
        *("schema/disjoint", "schema/expand", "schema/flat", "schema/formats", "schema/normal", "schema/objects"),
        *("schema/reading", "schema/scalars"),
    ),
    "tests/network/test_fetch.py": ("ports/fetch",),
    "tests/media/test_reader.py": ("ports/media",),
    "tests/testing/test_app.py": ("ports/system",),
    "tests/request/test_ladder_order.py": ("request/ladder", "request/asked", "request/case"),
    "tests/media/test_wording.py": ("request/media/wording",),
    "tests/request/rules/test_conversation.py": (
        *("request/rules/emptiness", "request/rules/placement", "request/rules/roles"),
    ),
    "tests/request/rules/test_model.py": ("request/rules/limits", "request/rules/sampling", "request/rules/thinking"),
    "tests/request/rules/test_tools.py": ("request/rules/media",),
    "tests/web/test_server_tools.py": ("ports/server_tools",),
    "tests/web/test_accommodations.py": ("request/accommodations",),
    "tests/request/rules/test_documented_schemas.py": ("schema/documented",),
    "tests/render/test_markup.py": ("render/families/value_ends",),
    "tests/web/test_tool_changes.py": ("request/rules/tool_changes", "request/tools/roster"),
    "tests/request/rules/test_compaction.py": ("request/sealed/compactions",),
    "tests/request/told/test_server_results.py": ("request/sealed/found",),
    "tests/request/sealed/test_thoughts.py": ("request/sealed/opened",),
    "tests/request/told/test_conversation.py": ("request/task",),
    "tests/request/test_intake_robustness.py": ("request/wording",),
    "tests/render/families/test_transcripts.py": (
        *(f"render/families/{name}" for name in ("deepseek", "gemma", "glm", "gpt_oss", "granite", "hermes", "kimi")),
        *(f"render/families/{name}" for name in ("llama3", "minimax", "mistral", "qwen3_coder")),
    ),
    "tests/render/families/test_detection.py": ("render/families/syntax", "render/prompt/detection"),
    "tests/render/grammar/test_thoughts.py": ("render/families/markers",),
    "tests/render/reading/test_calls.py": (
        *("render/families/argument_kinds", "render/families/universal", "render/prompt/calls"),
        *("render/reading/arguments", "render/reading/quoted"),
    ),
    "tests/render/grammar/test_calls.py": (
        *("render/grammar/arguments", "render/grammar/forms", "render/grammar/quoted", "render/grammar/reply"),
    ),
    "tests/schema/test_guarantee.py": ("render/grammar/schemas",),
    "tests/render/prompt/test_tools.py": ("render/prompt/fitting",),
    "tests/render/prompt/test_sandbox.py": ("render/prompt/kept", "render/prompt/macros", "render/prompt/messages"),
    "tests/render/reading/test_json_stream.py": ("render/reading/nesting",),
    "tests/render/reading/test_reply.py": ("render/reading/thoughts",),
    "tests/render/reading/test_citations.py": ("render/sources",),
}

COVERED: Final[dict[str, str]] = dict(
    chain.from_iterable(((module, test) for module in modules) for test, modules in _BY_TEST.items())
)
"""Module → the file of tests that covers it."""

SAID: Final[dict[str, str]] = {
    "errors": "authentication_error",
    "wire/content/citations": "char_location",
    "wire/content/documents": "download_completed",
    "wire/tools/server": "only one of allowed_domains and blocked_domains may be given",
    "request/rules/caching": "blocks with cache_control may be provided. Found",
    "request/rules/compaction": "compaction_incomplete_turn",
    "request/rules/examples": ": example does not match input_schema:",
    "request/rules/pairing": ": `tool_use` ids must be unique",
    "request/rules/placement": "` blocks can only be in",
    "request/rules/tools": "tools: Tool names must be unique.",
    "request/rules/emptiness": "messages: text content blocks must contain non-whitespace text",
    "request/rules/roles": 'messages: Unexpected role "',
    "request/rules/limits": "speed: this model does not support speed 'fast'.",
    "request/rules/sampling": "`temperature` and `top_p` cannot both be specified for this model.",
    "request/rules/thinking": "This model does not support the effort parameter.",
    "request/rules/media": ": structured outputs cannot be combined with citations (",
    "request/rules/server_pairing": "` block must have a corresponding call before it.",
    "request/rules/tool_changes": "tool_choice: no tool is left to be called at the end of the conversation",
    "request/tools/roster": "tool_name_conflict",
    "render/families/deepseek": "<｜tool▁calls▁begin｜>",
    "render/families/gemma": "<start_function_call>",
    "render/families/glm": "</arg_value>",
    "render/families/gpt_oss": "<|channel|>commentary",
    "render/families/granite": "<|tool_call|>",
    "render/families/kimi": "<|tool_call_argument_begin|>",
    "render/families/llama3": "<|python_tag|>",
    "render/families/minimax": "<minimax:tool_call>",
    "render/families/mistral": "[TOOL_CALLS]",
    "render/families/qwen3_coder": "<parameter=",
}
"""Module → a text that it alone has, where the file of tests does not import it."""
