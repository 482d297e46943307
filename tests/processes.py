"""The processes that the product starts, seen from outside."""

import errno
import os


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return error.errno == errno.ESRCH
    return False
