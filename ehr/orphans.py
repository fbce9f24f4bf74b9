"""End a worker process whose server is gone: it would serve on, and keep the port, unseen.

A server that is stopped stops its workers. One that is killed, or that the system ends for want of
memory, can not; no signal tells the workers of it on every system, so they look.
"""

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.process import BaseProcess

_TICK = 1.0
_PATIENCE = 10.0  # seconds for the requests under way


def watch() -> None:
    """End this process soon after the one that started it as a worker, if one did."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_keep_watching, args=(parent,), daemon=True).start()


def _keep_watching(parent: BaseProcess) -> None:
    # A killed parent is told of by its number on POSIX, where other workers hold its pipe open, and
    # by its handle on Windows.
    while os.getppid() == parent.pid and parent.is_alive():
        parent.join(_TICK)
    limit = time.monotonic() + _PATIENCE
    while time.monotonic() < limit:
        os.kill(os.getpid(), signal.SIGTERM)  # again: while it starts, a worker passes it over
        time.sleep(_TICK)
    os._exit(1)
