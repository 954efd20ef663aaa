"""What the core and the services need from outside, as protocols: whoever implements one is named in `compose` alone.

engine        a model that reads tokens and writes text
fetch         files from other hosts
media         images, PDFs and pages as they are read
server_tools  tools that run inside the server
system        clock and dice"""

from antiphon.dialogue.conversation import Sampling as Sampling
from antiphon.dialogue.media import STANDARD as STANDARD
from antiphon.dialogue.media import Image as Image
from antiphon.dialogue.media import Tier as Tier
