"""Model weights: where they come from, and what their files say about themselves.

`resolve` is the door: it turns a model's `source` setting into a file on this machine. `read_header` reads what a
GGUF file says about itself. `WeightsError` is all that either raises.
"""

from antiphon.weights.adapter import Adapter
from antiphon.weights.errors import WeightsError
from antiphon.weights.gguf import GgufHeader, read_header
from antiphon.weights.hub import Hub
from antiphon.weights.progress import Progress
from antiphon.weights.projector import Projector
from antiphon.weights.resolve import ResolvedModel, resolve, suggest_id

__all__ = [
    "Adapter",
    "GgufHeader",
    "Hub",
    "Progress",
    "Projector",
    "ResolvedModel",
    "WeightsError",
    "read_header",
    "resolve",
    "suggest_id",
]
