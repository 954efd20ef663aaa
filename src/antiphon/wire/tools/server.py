"""The tools that run inside the server. Source: API reference, Server tools; MCP connector."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from antiphon.wire.base import ByType, CacheMarker, Items, JsonObject, Maybe, WireModel, beta_field, complaint
from antiphon.wire.content.documents import CitationsConfig
from antiphon.wire.gates import MCP_LISTING
from antiphon.wire.tools.base import Positive, ToolOptions

_Text = Annotated[str, StringConstraints(min_length=1)]


class UserLocation(WireModel):
    """Where the user is, roughly: at least one of the four places is given."""

    type: Literal["approximate"]
    city: _Text | None = None
    region: _Text | None = None
    country: Annotated[str, StringConstraints(min_length=2, max_length=2)] | None = None
    timezone: _Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.city is None and self.region is None and self.country is None and self.timezone is None:
            raise complaint("at least one of city, region, country and timezone is required")
        return self


class _DomainTool(ToolOptions):
    max_uses: Positive | None = None
    allowed_domains: Items[str] | None = None
    blocked_domains: Items[str] | None = None

    @model_validator(mode="after")
    def _one_list_of_domains(self) -> Self:
        if self.allowed_domains is not None and self.blocked_domains is not None:
            raise complaint("only one of allowed_domains and blocked_domains may be given")
        return self


class _WebSearch(_DomainTool):
    name: Literal["web_search"]
    user_location: UserLocation | None = None


class WebSearch20250305(_WebSearch):
    """Search of the web."""

    type: Literal["web_search_20250305"]


class WebSearch20260209(_WebSearch):
    """Search of the web, from code."""

    type: Literal["web_search_20260209"]


class WebSearch20260318(_WebSearch):
    """Search of the web whose results may be left out of the reply."""

    type: Literal["web_search_20260318"]
    response_inclusion: Maybe[Literal["full", "excluded"]] = None


class SourceAll(WireModel):
    """Everything from this source."""

    type: Literal["all"]


class SourceNone(WireModel):
    """Nothing from this source."""

    type: Literal["none"]


class SourceTool(WireModel):
    """One tool, by its name."""

    type: Literal["tool_reference"]
    name: str


class SourceOnly(WireModel):
    """Results of these tools."""

    type: Literal["only"]
    tools: Items[SourceTool]


class SourceExcept(WireModel):
    """Results of all tools but these."""

    type: Literal["except"]
    tools: Items[SourceTool]


ToolSources = Annotated[SourceAll | SourceNone | SourceOnly | SourceExcept, ByType()]


class UrlSources(WireModel):
    """From where an address may come that the model fetches."""

    client_tool_results: Maybe[ToolSources] = None
    server_tool_results: Maybe[ToolSources] = None
    user_input: Maybe[Annotated[SourceAll | SourceNone, ByType()]] = None


class _WebFetch(_DomainTool):
    name: Literal["web_fetch"]
    citations: CitationsConfig | None = None
    max_content_tokens: Positive | None = None
    url_sources: UrlSources | None = None


class WebFetch20250910(_WebFetch):
    """Fetch of a page."""

    type: Literal["web_fetch_20250910"]


class WebFetch20260209(_WebFetch):
    """Fetch of a page, from code."""

    type: Literal["web_fetch_20260209"]


class WebFetch20260309(_WebFetch):
    """Fetch of a page, from a cache where one is wanted."""

    type: Literal["web_fetch_20260309"]
    use_cache: Maybe[bool] = None


class WebFetch20260318(_WebFetch):
    """Fetch of a page whose result may be left out of the reply."""

    type: Literal["web_fetch_20260318"]
    use_cache: Maybe[bool] = None
    response_inclusion: Maybe[Literal["full", "excluded"]] = None


class _CodeExecution(ToolOptions):
    name: Literal["code_execution"]


class CodeExecution20250522(_CodeExecution):
    """A container that runs Python."""

    type: Literal["code_execution_20250522"]


class CodeExecution20250825(_CodeExecution):
    """A container with a shell and a text editor."""

    type: Literal["code_execution_20250825"]


class CodeExecution20260120(_CodeExecution):
    """A container whose code may call tools."""

    type: Literal["code_execution_20260120"]


class CodeExecution20260521(_CodeExecution):
    """A container whose code may call tools."""

    type: Literal["code_execution_20260521"]


class ToolSearchRegex(ToolOptions):
    """Search among deferred tools by a pattern."""

    type: Literal["tool_search_tool_regex_20251119", "tool_search_tool_regex"]
    name: Literal["tool_search_tool_regex"]


class ToolSearchBm25(ToolOptions):
    """Search among deferred tools by words."""

    type: Literal["tool_search_tool_bm25_20251119", "tool_search_tool_bm25"]
    name: Literal["tool_search_tool_bm25"]


class OwnTool(ToolOptions):
    """A tool that this server's owner has added; what else it says is the tool's own."""

    model_config = ConfigDict(extra="allow")

    type: str
    name: _Text


class Advisor20260301(ToolOptions):
    """Another model that can be asked (beta)."""

    type: Literal["advisor_20260301"]
    name: Literal["advisor"]
    model: _Text
    max_uses: Positive | None = None
    max_tokens: Annotated[int, Field(ge=1024)] | None = None
    caching: CacheMarker | None = None


class McpSwitches(WireModel):
    """How a tool of an MCP server is switched."""

    enabled: Maybe[bool] = None
    defer_loading: Maybe[bool] = None


class McpToolEntry(WireModel):
    """A tool as its MCP server listed it."""

    name: str
    description: str | None = None
    input_schema: JsonObject


class McpToolset(WireModel):
    """The tools of one of the request's `mcp_servers` (beta); `tools` pins what the server is known to have."""

    type: Literal["mcp_toolset"]
    mcp_server_name: str
    default_config: Maybe[McpSwitches] = None
    configs: dict[str, McpSwitches] | None = None
    tools: Annotated[Items[McpToolEntry] | None, beta_field(MCP_LISTING)] = None
    cache_control: CacheMarker | None = None


class McpTool(WireModel):
    """One tool of an MCP server, as a request has it once its servers were asked: it does not travel.

    `name`: what the model calls it, for `own_name`, which may be taken by another tool, or be no name for a model.
    `enabled`: it is there; others are only listed.
    """

    type: Literal["mcp_tool"] = "mcp_tool"
    name: str
    own_name: str
    server_name: str
    description: str
    input_schema: JsonObject
    defer_loading: bool = False
    enabled: bool = True
