"""What code did, as the model is told: its outputs as they are. Source: API reference, Code execution tool."""

from antiphon.dialogue.tools import Result
from antiphon.wire.content.blocks import (
    BashCodeExecutionToolResultBlock,
    CodeExecutionToolResultBlock,
    TextEditorCodeExecutionToolResultBlock,
)
from antiphon.wire.content.results import (
    BashCodeExecutionError,
    BashCodeExecutionResult,
    CodeExecutionError,
    CodeExecutionResult,
    EncryptedCodeExecutionResult,
    TextEditorCreateResult,
    TextEditorError,
    TextEditorReplaceResult,
    TextEditorViewResult,
)

CodeResultBlock = (
    BashCodeExecutionToolResultBlock | CodeExecutionToolResultBlock | TextEditorCodeExecutionToolResultBlock
)


def told_code(block: CodeResultBlock, name: str, printed: str = "") -> Result:
    """The result of a call that ran in a container. `printed`: its output, where that is under seal."""
    match block.content:
        case BashCodeExecutionError(error_code=code) | CodeExecutionError(error_code=code):
            return Result(block.tool_use_id, name, code, is_error=True)
        case TextEditorError(error_code=code, error_message=said):
            return Result(block.tool_use_id, name, f"{code}: {said}" if said else code, is_error=True)
        case (
            BashCodeExecutionResult(stdout=out, stderr=err, return_code=returned)
            | CodeExecutionResult(stdout=out, stderr=err, return_code=returned)
        ):
            return Result(block.tool_use_id, name, _printed(out, err, returned))
        case EncryptedCodeExecutionResult(stderr=err, return_code=returned):
            return Result(block.tool_use_id, name, _printed(printed, err, returned))
        case TextEditorViewResult(content=content):
            return Result(block.tool_use_id, name, content)
        case TextEditorCreateResult(is_file_update=replaced):
            return Result(block.tool_use_id, name, "The file was replaced." if replaced else "The file was created.")
        case TextEditorReplaceResult(lines=lines):
            return Result(block.tool_use_id, name, "\n".join(["The file was changed:", *(lines or ())]))


def _printed(out: str, err: str, returned: int) -> str:
    """Both outputs; what is as usual is not said."""
    parts = [out.rstrip("\n")] if out else []
    parts += [f"stderr:\n{err.rstrip()}"] if err else []
    parts += [f"return code: {returned}"] if returned or not parts else []
    return "\n".join(parts)
