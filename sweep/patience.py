"""Waits for a store that fails for a while: the same call again after 1, 2, 4, ... seconds, then the fault as it was."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from storage import StorageError

Result = TypeVar("Result")
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)  # two minutes in all: a server that starts anew, a mount that is lost
LASTING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}  # a person has to do something first
PASSING = {"not_a_cube", "store_unavailable"}  # it was there when the run began
# What a store looks like that goes away in the middle of a call: the next call says whether it is there.
DOUBTFUL, DOUBTS = {"layout", "cube_damaged", "lease_lost"}, 2
LOG = logging.getLogger("wattbit.sweep")


def patiently(call: Callable[[], Result], faults: list[str] | None = None) -> Result:
    """Return what ``call`` returns, which may fail for a while.

    Parameters
    ----------
    call : callable
        Reads or writes the store, and may be called again after any failure.
    faults : list of str, optional
        Takes in what went wrong before it went well.

    Raises
    ------
    OSError, StorageError
        The last fault, or one that waiting does not mend: at once a full disk or no permission; a damaged cube when it
        was seen three times.
    """
    doubts = 0
    for wait in WAITS:
        try:
            return call()
        except (OSError, StorageError) as fault:
            doubts += isinstance(fault, StorageError) and fault.code in DOUBTFUL
            if not passes(fault) or doubts > DOUBTS:
                raise
            LOG.warning("the store fails, next try in %g s: %s", wait, fault)
            if faults is not None:
                faults.append(str(fault))
            time.sleep(wait)
    return call()


def passes(fault: OSError | StorageError) -> bool:
    """Whether a fault is one that may pass by itself."""
    if isinstance(fault, OSError):
        return fault.errno not in LASTING
    return fault.code in PASSING | DOUBTFUL
