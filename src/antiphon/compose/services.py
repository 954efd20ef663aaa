"""The use cases over started engines, wired together."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from antiphon.compose.edges import guard_for, limiter_for
from antiphon.compose.engines import is_embedded
from antiphon.compose.observer import StartError
from antiphon.config import ModelSettings, Settings, TurnLimits
from antiphon.ports.batches import BatchStore
from antiphon.ports.caching import Ledger
from antiphon.ports.mcp import McpConnector
from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.ports.system import Clock, Entropy
from antiphon.ports.threads import ThreadStore
from antiphon.request.asked import Host
from antiphon.request.case import Latitude
from antiphon.seals import Seals
from antiphon.service.batches.enqueued import Enqueued
from antiphon.service.batches.policy import Policy
from antiphon.service.batches.rows import Rows
from antiphon.service.batches.runner import BatchRunner
from antiphon.service.batches.taking import Batches
from antiphon.service.containers import Containers
from antiphon.service.explainer import Explainer
from antiphon.service.fallbacks.attempts import Attempts
from antiphon.service.fallbacks.chain import Fallbacks
from antiphon.service.fallbacks.credits import Credits
from antiphon.service.files.files import Files
from antiphon.service.guard.guard import OwnersGuard
from antiphon.service.intake import Intake
from antiphon.service.limits import Limiter
from antiphon.service.measuring import Measures
from antiphon.service.media.intake import MediaIntake
from antiphon.service.messages import MessageService
from antiphon.service.metrics import Metrics
from antiphon.service.models import ModelService
from antiphon.service.reply.caching import Caching
from antiphon.service.reply.compaction import Compactions
from antiphon.service.reply.diagnosing import Diagnoses
from antiphon.service.reply.planner import Planner
from antiphon.service.reply.rounds import Workshop
from antiphon.service.reply.summarizer import Summarizer
from antiphon.service.served import ModelRoutes
from antiphon.service.skills.library import SkillLibrary
from antiphon.service.threads import Threads
from antiphon.service.traffic import Traffic
from antiphon.service.usage.accounts import Accounts
from antiphon.service.usage.book import UsageBook
from antiphon.service.usage.costs import Costs
from antiphon.service.usage.reports import Reports
from antiphon.service.usage.spending import Spending
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
    book: UsageBook | None = None,
    skills: SkillLibrary | None = None,
    metrics: Metrics | None = None,
    mcp: McpConnector | None = None,
) -> Services:
    """Every use case of the API. `server_tools`: those that replies may use; whoever made them closes them. `ledger`:
    what is known of cached prefixes; one of this process's by default. `threads`: where conversations of message
    threads are kept, closed by its maker too; None: nowhere. `batches`: the same of batches. `files`: what is done
    with uploaded files, whose library `media` has too; None: nothing. `containers`: where code runs, kept tidy by
    their maker; None: nowhere. `book`: where it is written down what replies come to; None: nowhere. `skills`: those
    that were uploaded; None: nothing is kept. `metrics`: counts what happens. `mcp`: the way to MCP servers; None:
    there is none.
    """
    metrics = metrics or Metrics()
    server_tools = _with_code(settings, server_tools, containers)
    intake = Intake(routes, media, _host(settings, seals, server_tools), containers, mcp, clock)
    guard = guard_for(settings, routes.served, clock)
    planner = _planner(settings, routes, clock, entropy, seals, ledger or MemoryLedger(), guard)
    shop, traffic = Workshop(intake, planner, media, settings.turn, mcp), Traffic()
    whose, kept = organization(seals.name), Threads(threads, settings.max_body)
    limiter = limiter_for(settings, clock, whose)
    usage = _Usage.over(settings, book, clock)
    attempts = Attempts(Compactions(shop), limiter, usage.online, usage.spending)
    fallbacks = Fallbacks(routes, intake, attempts, settings.fallbacks, clock)
    credit = Credits(seals, clock, entropy)
    models = ModelService(routes, server_tools, fallbacks, batches=batches is not None)
    messages = MessageService(intake, planner, kept, attempts, fallbacks, credit, traffic, metrics)
    services = Services(
        messages,
        models,
        Explainer(messages, clock),
        files,
        limiter=limiter,
        reports=usage.reports,
        spending=usage.spending,
        guard=guard,
        skills=skills,
        measures=Measures(metrics, models, containers=containers),
    )
    if batches is None:
        return services
    alone = _alone(settings, shop, limiter, usage, metrics)
    runner = _runner(settings, batches, alone, traffic, clock, entropy)
    measures, enqueued = Measures(metrics, models, runner, containers), Enqueued(settings.limits, whose)
    taken = Batches(batches, clock, entropy, settings.max_body, runner.wake, enqueued)
    return replace(services, batches=taken, runner=runner, measures=measures, enqueued=enqueued)


def _with_code(settings: Settings, server_tools: ServerTools, containers: Containers | None) -> ServerTools:
    """The tools, with those that run code where there are containers."""
    if containers is None:
        return server_tools
    # Code that waits for its calls waits in one process, and who answers them may come to any.
    found = settings.workers == 1 or containers.grounds.meeting is not None
    return ServerTools((*server_tools.tools, *code_tools()), calls_from_code=found)


def _alone(settings: Settings, shop: Workshop, limiter: Limiter, usage: "_Usage", metrics: Metrics) -> MessageService:
    """What answers requests of batches, none of which is a thread's."""
    patient = Compactions(replace(shop, limits=_patient(settings.turn)))
    attempts = Attempts(patient, limiter, usage.batched, usage.spending, "batch_requests")
    return MessageService(shop.intake, shop.planner, Threads(None, 0), attempts, metrics=metrics)


def _host(settings: Settings, seals: Seals, server_tools: ServerTools) -> Host:
    """What requests have to know of this server."""
    latitude = Latitude(settings.extended_schemas, settings.accommodations)
    return Host(seals, server_tools, settings.thinking.foreign, latitude)


def _planner(
    settings: Settings,
    routes: ModelRoutes,
    clock: Clock,
    entropy: Entropy,
    seals: Seals,
    ledger: Ledger,
    guard: OwnersGuard,
) -> Planner:
    retells = settings.thinking.summarizer
    summarizer = None if retells is None else Summarizer(routes.served[retells], clock)
    return Planner(clock, entropy, seals, Caching(ledger), Diagnoses(), summarizer, guard)


@dataclass(frozen=True, slots=True)
class _Usage:
    """What is done with what replies come to. `batched`: of those in batches, which is kept with their results."""

    online: Accounts | None = None
    batched: Accounts | None = None
    reports: Reports | None = None
    spending: Spending | None = None

    @classmethod
    def over(cls, settings: Settings, book: UsageBook | None, clock: Clock) -> "_Usage":
        """As the settings want it, written down in a book. `StartError`."""
        costs = Costs(settings.prices, settings.other_prices)
        spending = _spending(settings, book, costs, clock)
        if book is None:
            return cls()
        notes = () if spending is None else (spending.note,)
        return cls(Accounts(clock, book.note, *notes), Accounts(clock, *notes), Reports(book, costs, clock), spending)


def _spending(settings: Settings, book: UsageBook | None, costs: Costs, clock: Clock) -> Spending | None:
    """Who keeps callers to what they may spend, also where nothing is limited yet; None: nobody can. `StartError`."""
    if book is None:
        if not any(rule.dollars_per_month for rule in settings.limits):
            return None
        raise StartError("limits: dollars_per_month needs a database that says what was spent, and nothing is kept")
    return Spending(settings.limits, book, costs, clock)


def _patient(limits: TurnLimits) -> TurnLimits:
    """Nobody waits for a request of a batch: it may work longer before it pauses."""
    return replace(limits, rounds=limits.rounds * PATIENCE, turn_seconds=limits.turn_seconds * PATIENCE)


def places_of(models: Iterable[ModelSettings]) -> int | None:
    """How many requests the models work at together that run here; None: none does."""
    return min((model.parallel for model in models if is_embedded(model)), default=None)


def _runner(
    settings: Settings, store: BatchStore, messages: MessageService, traffic: Traffic, clock: Clock, entropy: Entropy
) -> BatchRunner:
    given = settings.batches
    policy = Policy(given.concurrency, places_of(settings.models.values()), given.lease)
    return BatchRunner(store, Rows(messages), traffic, policy, clock, entropy.bytes(8).hex())
