"""The processes that the product starts, seen from outside."""

import errno
import os

from models.decoding import Decoder


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return error.errno == errno.ESRCH
    return False


def processes_of(decoder: Decoder) -> set[int]:
    return {process.pid for process in decoder._processes if process.pid is not None}
