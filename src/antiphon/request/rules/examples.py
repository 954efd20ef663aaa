"""Input examples of a tool satisfy its schema. Source: API reference, Define tools (`input_examples`).

Schemas and examples come from the client, so judging them is bounded (`schema.instances`).
"""

import orjson

from antiphon.request.case import Case, Issue
from antiphon.wire.tools.definitions import CustomTool
from antiphon.words import shown

MOST_STEPS = 10_000
"""How many keywords are judged for all examples of a request; ordinary ones take some dozens."""

MOST_BYTES = 32 * 1024
"""The size of one tool's examples as JSON."""


def examples_fit_their_schema(case: Case) -> Issue | None:
    """Each of a custom tool's `input_examples` is an input that its schema allows."""
    steps = [MOST_STEPS]
    for path, tool in case.definitions:
        if isinstance(tool, CustomTool) and tool.input_examples:
            issue = _judge(f"{path}.custom", tool, steps)
            if issue is not None:
                return issue
    return None


def _judge(path: str, tool: CustomTool, steps: list[int]) -> Issue | None:
    # Its library takes 3 MiB, which a server whose clients send no examples does without.
    from antiphon.schema.instances import TooMuchWork, Unresolvable, bounded_validator

    try:
        validator = bounded_validator(tool.input_schema, steps)
        if len(orjson.dumps(tool.input_examples)) > MOST_BYTES:
            raise TooMuchWork
        for n, example in enumerate(tool.input_examples or []):
            error = next(validator.iter_errors(example), None)
            if error is not None:
                place = "".join(f".{part}" for part in error.absolute_path)
                return Issue(
                    f"{path}.input_examples.{n}{place}: example does not match input_schema: {shown(error.message)}"
                )
    except Unresolvable as missing:
        return Issue(f"{path}.input_schema: $ref '{shown(missing.ref)}' cannot be resolved within the schema")
    except (TooMuchWork, RecursionError, orjson.JSONEncodeError):
        return Issue(
            f"{path}.input_examples: the examples are too large to be checked against input_schema. "
            "Use fewer or smaller examples."
        )
    return None
