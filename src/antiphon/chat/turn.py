"""One turn: what the user said, the replies to it, and the tools between them, by the SDK's tool runner."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import anthropic

from antiphon.chat.conversation import Conversation
from antiphon.chat.problems import Json, in_words
from antiphon.chat.service import Model, Service, thinking_params

SUMMARIES: Final = "compact-2026-09-04"
"""The beta that a request needs which asks for a summary, or has one in its messages."""

STOPPED: Final = "The user stopped this."


class Shown(Protocol):
    """Where a turn is seen while it happens."""

    def begin(self) -> None:
        """A reply is asked for."""
        ...

    def thinking(self, piece: str) -> None:
        """So much more has been thought."""
        ...

    def text(self, piece: str) -> None:
        """So much more has been said."""
        ...

    def calling(self, name: str, given: Any) -> None:
        """The model calls a tool with this."""
        ...

    def result(self, name: str, text: str, failed: bool) -> None:
        """A tool came to this."""
        ...

    def end(self, message: Json) -> None:
        """A reply has ended: the API's message."""
        ...

    def results(self, message: Json) -> None:
        """What the tools came to goes back as this message."""
        ...

    def broke_off(self) -> None:
        """A reply, or a wait for one, has ended before its end."""
        ...

    def note(self, text: str) -> None:
        """Something that the user should know."""
        ...


class _Replies(Protocol):
    """The part of the SDK's runner that is used here."""

    def __iter__(self) -> Iterator[Any]: ...

    def generate_tool_call_response(self) -> Any: ...

    def close(self) -> None: ...


class Stopped(Exception):  # noqa: N818 - nothing is wrong
    """The user has stopped the turn; what of it can be kept is in the conversation."""


@dataclass(slots=True)
class Asker:
    """Asks a server, and follows its replies. `compact_at`: so many tokens in the context are made a summary; 0: none
    are, and nothing is known of the window."""

    service: Service
    model: Model
    tools: Sequence[Any]
    most: int
    compact_at: int = 0

    def run(self, conversation: Conversation, shown: Shown) -> None:
        """Go from what the user said to the end of the turn. Raises `Stopped`, and the SDK's errors.

        What fails or is stopped before anything was answered has not been said.
        """
        held = len(conversation.messages)
        try:
            while self._replies(conversation, shown):
                self.compact(conversation, shown)
        except KeyboardInterrupt:
            self._settle(conversation)
            shown.broke_off()
            if len(conversation.messages) == held:
                conversation.take_back()
            raise Stopped from None
        except anthropic.AnthropicError:
            shown.broke_off()
            if len(conversation.messages) == held:
                conversation.take_back()
            raise

    def compact(self, conversation: Conversation, shown: Shown) -> bool:
        """Put a summary in the place of all messages; whether there is one. Raises the SDK's errors but refusals."""
        asked = {key: value for key, value in self._params(conversation).items() if key != "output_config"}
        asked["betas"] = [SUMMARIES]
        if self.tools:
            asked["tools"] = [tool.to_dict() for tool in self.tools]
        shown.note("Making a summary of the conversation …")
        try:
            with self.service.client.beta.messages.stream(**asked, compaction={"type": "summarize"}) as stream:
                message = _plain(stream.get_final_message())
        except (anthropic.BadRequestError, anthropic.UnprocessableEntityError) as problem:
            self.compact_at = 0
            shown.note(f"There is no summary, the conversation goes on whole: {in_words(problem, self.service.url)}")
            return False
        if not any(block["type"] == "compaction" and block.get("content") for block in message["content"]):
            self.compact_at = 0
            shown.note("The model made no summary; the conversation goes on whole.")
            return False
        conversation.summarized({"role": "assistant", "content": message["content"]})
        conversation.spent.add(message.get("usage") or {})
        conversation.spent.context = 0
        shown.note("A summary stands for what was said so far.")
        return True

    def _replies(self, conversation: Conversation, shown: Shown) -> bool:
        """Follow replies; whether the turn goes on behind a summary."""
        runner = cast(
            "_Replies",
            self.service.client.beta.messages.tool_runner(
                **self._params(conversation), tools=list(self.tools), stream=True, thread=False
            ),
        )
        try:
            shown.begin()
            for stream in runner:
                message = self._reply(stream, conversation, shown)
                goes_on = message["stop_reason"] == "tool_use"
                if goes_on:
                    self._answer(runner, message, conversation, shown)
                elif message["stop_reason"] != "pause_turn":
                    self._settle(conversation)
                if self._full(conversation):
                    if goes_on:
                        return True
                    self.compact(conversation, shown)
                    return False
                if goes_on or message["stop_reason"] == "pause_turn":
                    shown.begin()
        finally:
            runner.close()
        return False

    def _reply(self, stream: Any, conversation: Conversation, shown: Shown) -> Json:
        """One reply from its first event to its last; what of it is kept is kept also where it is stopped."""
        try:
            for event in stream:
                if event.type == "text":
                    shown.text(event.text)
                elif event.type == "thinking":
                    shown.thinking(event.thinking)
                elif event.type == "content_block_stop" and event.content_block.type.endswith("tool_use"):
                    shown.calling(event.content_block.name, event.content_block.input)
            message = _plain(stream.get_final_message())
        except (KeyboardInterrupt, anthropic.AnthropicError):
            said = _said(stream)
            if said:
                conversation.messages.append({"role": "assistant", "content": said})
            raise
        # A reply of nothing cannot be sent back.
        if message["content"]:
            conversation.messages.append({"role": "assistant", "content": message["content"]})
        conversation.spent.add(message.get("usage") or {})
        shown.end(message)
        return message

    def _answer(self, runner: _Replies, message: Json, conversation: Conversation, shown: Shown) -> None:
        """Run the tools that were called, and say what they came to."""
        results = runner.generate_tool_call_response()
        if results is None:
            return
        names = {block["id"]: block["name"] for block in message["content"] if block["type"] == "tool_use"}
        for block in results["content"]:
            shown.result(names[block["tool_use_id"]], words_of(block.get("content")), bool(block.get("is_error")))
        conversation.messages.append(dict(results))
        shown.results(dict(results))

    def _full(self, conversation: Conversation) -> bool:
        # A summary with one message behind it gains nothing by another summary.
        worth = len(conversation.messages) > 2 or not _is_summary(conversation.messages[0])
        return worth and 0 < self.compact_at <= conversation.spent.context

    def _settle(self, conversation: Conversation) -> None:
        """Answer calls that were not answered: without that, no request could go on from here."""
        last = conversation.messages[-1]
        if last["role"] != "assistant":
            return
        calls = [block["id"] for block in last["content"] if block["type"] == "tool_use"]
        if calls:
            blocks = [
                {"type": "tool_result", "tool_use_id": id_, "content": STOPPED, "is_error": True} for id_ in calls
            ]
            conversation.messages.append({"role": "user", "content": blocks})

    def _params(self, conversation: Conversation) -> Json:
        params: Json = {"model": self.model.name, "max_tokens": self.most, "messages": list(conversation.messages)}
        if conversation.system:
            params["system"] = conversation.system
        if any(_is_summary(message) for message in conversation.messages):
            params["betas"] = [SUMMARIES]
        return {**params, **thinking_params(conversation.thinking, self.model, self.most)}


def words_of(content: Any) -> str:
    """What a tool's result says, in words: pictures and documents by their kind."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(str(block.get("text") or f"[{block['type']}]") for block in content)


def _plain(message: Any) -> Json:
    """The API's message as JSON, without what the SDK has put into it."""
    found: Json = message.to_dict(mode="json")
    for block in found["content"]:
        block.pop("parsed_output", None)
    return found


def _said(stream: Any) -> list[Json]:
    """What a reply that broke off has said in words; nothing else of it could be sent back."""
    try:
        found = _plain(stream.current_message_snapshot)
    except AssertionError:  # nothing has come
        return []
    return [block for block in found["content"] if block["type"] == "text" and block["text"].strip()]


def _is_summary(message: Json) -> bool:
    content = message["content"]
    return isinstance(content, list) and any(block["type"] == "compaction" for block in cast("list[Json]", content))
