"""Containers over the sandboxes of this machine and the stores of this server."""

import logging
import socket
from contextlib import AsyncExitStack

from antiphon.compose.sandboxes import MEETING, folder_in
from antiphon.compose.stores import Stores
from antiphon.config import Settings
from antiphon.ports.containers import ContainerStore
from antiphon.ports.leases import Leases
from antiphon.ports.sandbox import Sandboxes
from antiphon.ports.system import Clock, Entropy
from antiphon.service.checkpoints import Checkpoints
from antiphon.service.containers import Containers, Grounds
from antiphon.service.files.files import Files
from antiphon.service.skills.chosen import SkillChoice
from antiphon.stores.containers import MemoryContainers

log = logging.getLogger(__name__)


def containers_for(
    settings: Settings,
    sandboxes: Sandboxes | None,
    stores: Stores | None,
    files: Files | None,
    skills: SkillChoice | None,
    clock: Clock,
    entropy: Entropy,
    running: AsyncExitStack,
) -> Containers | None:
    """The containers of this process, tidied until `running` ends. None: no code is run."""
    if sandboxes is None:
        return None
    if stores is None and settings.workers > 1:
        log.warning(
            "code is not run: several workers know each other's containers by the database alone, and nothing is kept"
        )
        return None
    store, leases = _kept(stores)
    meeting = folder_in(settings, MEETING) if settings.workers > 1 else None
    kept = settings.sandbox.restorable
    checkpoints = None if stores is None or not kept else Checkpoints(stores.objects, kept, settings.sandbox.archive)
    machine = socket.gethostname()
    grounds = Grounds(sandboxes, store, files, machine, clock, entropy, leases, skills, meeting, checkpoints)
    containers = Containers(grounds, lifetime=settings.sandbox.lifetime)
    containers.start()
    running.push_async_callback(containers.aclose)
    return containers


def _kept(stores: Stores | None) -> tuple[ContainerStore, Leases | None]:
    if stores is None:
        return MemoryContainers(), None
    from antiphon.stores.sql.containers import SqlContainers  # see `compose.stores`
    from antiphon.stores.sql.leases import SqlLeases

    return SqlContainers(stores.database), SqlLeases(stores.database)
