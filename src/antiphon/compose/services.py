"""The use cases over started engines, wired together."""

from antiphon.config import Settings
from antiphon.ports.caching import Ledger
from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.ports.system import Clock, Entropy
from antiphon.ports.threads import ThreadStore
from antiphon.request.asked import Host
from antiphon.request.case import Latitude
from antiphon.seals import Seals
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
from antiphon.stores.caching import MemoryLedger
from antiphon.web.routes import Services


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
) -> Services:
    """Every use case of the API. `server_tools`: those that replies may use; whoever made them closes them. `ledger`:
    what is known of cached prefixes; one of this process's by default.

    `threads`: where conversations of message threads are kept, closed by its maker too; None: nowhere.
    `files`: what is done with uploaded files, whose library `media` has too; None: nothing.
    """
    retells = settings.thinking.summarizer
    summarizer = None if retells is None else Summarizer(routes.served[retells], clock)
    host = Host(
        seals,
        server_tools,
        settings.thinking.foreign,
        Latitude(settings.extended_schemas, settings.accommodations),
        routes.catalogue.wide_names(),
    )
    intake = Intake(routes, media, host)
    planner = Planner(clock, entropy, seals, Caching(ledger or MemoryLedger()), Diagnoses(), summarizer)
    compactions = Compactions(Workshop(intake, planner, media, settings.turn))
    kept = Threads(threads, settings.max_body)
    return Services(MessageService(intake, planner, compactions, kept), ModelService(routes, server_tools), files)
