"""Whether somebody is still at the terminal that a server was started in."""

import os


def is_gone(terminal: int) -> bool:
    """Whether nobody is at a terminal any more."""
    try:
        os.tcgetpgrp(terminal)
    except OSError:
        return True
    return False
