"""The use cases over started engines, wired together."""

from dataclasses import replace
from typing import Final

from antiphon.compose.edges import limiter_for
from antiphon.compose.engines import is_embedded
from antiphon.config import Settings, TurnLimits
from antiphon.ports.batches import BatchStore
from antiphon.ports.caching import Ledger
from antiphon.ports.mcp import McpConnector
from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.ports.system import Clock, Entropy
from antiphon.ports.threads import ThreadStore
from antiphon.request.asked import Host
from antiphon.request.case import Latitude
from antiphon.seals import Seals
from antiphon.service.batches.policy import Policy
from antiphon.service.batches.rows import Rows
from antiphon.service.batches.runner import BatchRunner
from antiphon.service.batches.taking import Batches
from antiphon.service.containers import Containers
from antiphon.service.files.files import Files
from antiphon.service.intake import Intake
from antiphon.service.media.intake import MediaIntake
from antiphon.service.messages import MessageService
from antiphon.service.models import ModelService
from antiphon.service.reply.caching import Caching
from antiphon.service.reply.compaction import Compactions
from antiphon.service.reply.diagnosing import Diagnoses
from antiphon.service.reply.planner import Planner
from antiphon.service.reply.rounds import Workshop
from antiphon.service.reply.summarizer import Summarizer
from antiphon.service.served import ModelRoutes
from antiphon.service.threads import Threads
from antiphon.service.traffic import Traffic
from antiphon.stores.caching import MemoryLedger
from antiphon.tools.code import code_tools
from antiphon.web.identity import organization
from antiphon.web.routes import Services

PATIENCE: Final = 10
"""How many times as long as others a request of a batch may work with the server's own tools."""


def services_for(
    settings: Settings,
    routes: ModelRoutes,
    clock: Clock,
    entropy: Entropy,
    seals: Seals,
    media: MediaIntake,
    server_tools: ServerTools = NO_SERVER_TOOLS,
    ledger: Ledger | None = None,
    threads: ThreadStore | None = None,
    files: Files | None = None,
    batches: BatchStore | None = None,
    containers: Containers | None = None,
    mcp: McpConnector | None = None,
) -> Services:
    """Every use case of the API. `server_tools`: those that replies may use; whoever made them closes them. `ledger`:
    what is known of cached prefixes; one of this process's by default.

    `threads`: where conversations of message threads are kept, closed by its maker too; None: nowhere. `batches`:
    the same of batches. `files`: what is done with uploaded files, whose library `media` has too; None: nothing.
    `containers`: where code runs, kept tidy by their maker; None: nowhere.
    `mcp`: the way to MCP servers; None: there is none.
    """
    if containers is not None:
        server_tools = ServerTools((*server_tools.tools, *code_tools()))
    retells = settings.thinking.summarizer
    summarizer = None if retells is None else Summarizer(routes.served[retells], clock)
    host = Host(
        seals,
        server_tools,
        settings.thinking.foreign,
        Latitude(settings.extended_schemas, settings.accommodations),
        routes.catalogue.wide_names(),
    )
    intake = Intake(routes, media, host, containers, mcp)
    planner = Planner(clock, entropy, seals, Caching(ledger or MemoryLedger()), Diagnoses(), summarizer)
    compactions = Compactions(Workshop(intake, planner, media, settings.turn, mcp))
    kept, traffic = Threads(threads, settings.max_body), Traffic()
    limiter = limiter_for(settings, clock, organization(seals.name))
    messages = MessageService(intake, planner, compactions, kept, traffic, limiter)
    models = ModelService(routes, server_tools, batches=batches is not None)
    if batches is None:
        return Services(messages, models, files, limiter=limiter)
    patient = Compactions(Workshop(intake, planner, media, _patient(settings.turn), mcp))
    # No request of a batch is a thread's.
    alone = MessageService(intake, planner, patient, Threads(None, 0))
    runner = _runner(settings, batches, alone, traffic, clock, entropy)
    taken = Batches(batches, clock, entropy, settings.max_body, runner.wake)
    return Services(messages, models, files, taken, runner, limiter=limiter)


def _patient(limits: TurnLimits) -> TurnLimits:
    """Nobody waits for a request of a batch: it may work longer before it pauses."""
    return replace(limits, rounds=limits.rounds * PATIENCE, turn_seconds=limits.turn_seconds * PATIENCE)


def _runner(
    settings: Settings, store: BatchStore, messages: MessageService, traffic: Traffic, clock: Clock, entropy: Entropy
) -> BatchRunner:
    given = settings.batches
    embedded = [model.parallel for model in settings.models.values() if is_embedded(model)]
    policy = Policy(given.concurrency, min(embedded, default=None), given.lease)
    return BatchRunner(store, Rows(messages), traffic, policy, clock, entropy.bytes(8).hex())
