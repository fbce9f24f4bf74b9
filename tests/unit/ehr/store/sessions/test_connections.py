"""Connections to one SQLite file, made at the same moment by several starts."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import sqlalchemy

from ehr.store.sessions.connections import sqlite_engine

STARTS = 6
ROUNDS = 60  # of 200 rounds eight failed when nobody waited


def test_starts_that_make_one_file_at_once_wait_for_each_other(tmp_path: Path) -> None:
    def start(number: int, together: Barrier) -> None:
        engine = sqlite_engine(sqlalchemy.make_url(f"sqlite:///{tmp_path}/{number}.db"), 1)
        together.wait(timeout=60)
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS one (two)")
            connection.exec_driver_sql("COMMIT")
        engine.dispose()

    with ThreadPoolExecutor(STARTS) as pool:
        for number in range(ROUNDS):
            together = Barrier(STARTS)
            list(pool.map(start, [number] * STARTS, [together] * STARTS))
