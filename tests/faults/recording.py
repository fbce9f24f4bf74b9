"""A process that records events without end and tells of each request once it is safe.

    python -m tests.faults.recording sqlite:///x.db journal /folder r1w0

Four threads print a line for each request that was acknowledged: its name. Each has two events, the
second behind the first, so that half of one would be seen. Every fifth goes within a write.
"""

import itertools
import os
import sys
import threading

from ehr.audit.event import AuditRow, of_request
from ehr.audit.kinds import Kind
from ehr.audit.trail import Trail
from ehr.record import now
from ehr.settings import DEVELOPMENT_SECRET, Settings
from ehr.store.opening import open_database

THREADS = 4
WITHIN = 5


def main(url: str, mode: str, folder: str, name: str) -> None:
    """Record until killed."""
    database = open_database(url, secret=DEVELOPMENT_SECRET)
    trail = Trail(database, Settings(audit=mode, audit_folder=folder), now)
    trail.start()

    def record(thread: int) -> None:
        for number in itertools.count():
            request = f"{name}-{thread}-{number}"
            added = request_of(request)
            if number % WITHIN:
                trail.record(added)
            else:
                database.write(lambda connection, added=added: trail.within(connection, added))
            os.write(1, f"{request}\n".encode())  # whole lines, whatever the threads do

    threads = [threading.Thread(target=record, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def request_of(name: str) -> tuple[AuditRow, ...]:
    """Return the two events of a request."""
    row = AuditRow(kind=Kind.SEARCH, at=now(), request_id=name, query="x" * 40, agent="tests")
    return of_request(row, [{"patient_key": 1}, {"patient_key": 2}])


if __name__ == "__main__":
    main(*sys.argv[1:])
