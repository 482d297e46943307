"""A process that goes on for long, once all is loaded: what stays is not gone through again; knows no engine."""

import gc


def settle() -> None:
    """Takes what is loaded now out of the garbage collector's care; blocks for a tenth of a second, once.

    Else each full collection goes through all of it, the libraries too, and holds up whatever turn it falls into for
    as long.
    """
    gc.collect()
    gc.freeze()
