"""All that is done with files, over one store of rows and one of bytes."""

from dataclasses import dataclass

from antiphon.ports.files import FileStore
from antiphon.ports.objects import ObjectStore
from antiphon.ports.system import Clock, Entropy
from antiphon.service.files.library import Library
from antiphon.service.files.sweep import Sweep
from antiphon.service.files.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Files:
    """What is done with files that are there, with new ones, and with those whose time is over."""

    library: Library
    uploads: Uploads
    sweep: Sweep

    @classmethod
    def over(
        cls, rows: FileStore, objects: ObjectStore, clock: Clock, entropy: Entropy, *, quota: int | None = None
    ) -> "Files":
        """Over these stores, which their maker closes. `quota`: bytes of all files together; None: no limit."""
        return cls(
            Library(rows, objects, clock),
            Uploads(rows, objects, clock, entropy, quota=quota),
            Sweep(rows, objects),
        )
