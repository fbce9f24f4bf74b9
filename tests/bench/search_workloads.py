"""What is asked of a record by the search bench, with the SQL that a person would write for it.

The plain statement fetches the same rows with their bodies, keys and hashes known beforehand.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from ehr.search.parameters.reference_paths import reference_paths
from ehr.store.engine import Database
from fhir_profiles.definitions import type_number
from fhir_profiles.search_parameters import for_type

_SAMPLES = 200
_BODY = "r.type, r.id, r.version, r.last_updated, v.dict_id, v.body"
_WITH = (
    "JOIN version v ON v.patient_key = r.patient_key AND v.rid = r.rid AND v.version = r.version"
)
_OF_T = f"JOIN resource r ON r.patient_key = t.patient_key AND r.rid = t.rid {_WITH}"

Values = tuple[Any, ...]
Question = tuple[str, Values]  # what is asked, and the values of the plain SQL for it


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of question: addresses to ask, the plain SQL and its values for each of them.

    `within` is a search in one patient's record; `limit` is the p95 to reach, in milliseconds.
    """

    name: str
    paths: tuple[str, ...]
    sql: str
    values: tuple[Values, ...]
    limit: float | None = None
    within: bool = False


def workloads(database: Database) -> tuple[Workload, ...]:
    """Return what is asked, with values from the record itself."""
    with database.read() as connection:
        asked = _Asked(connection, database.dialect)
        return (
            asked.latest_of_a_code(),
            asked.category_in_a_range(),
            asked.encounters_with_more(),
            asked.count_of_one(),
            asked.identifier(),
            asked.name_and_birth(),
            asked.rare_code(),
            asked.reverse_chain(),
            asked.chain_of_two(),
        )


class _Asked:
    """Makes questions out of what one record holds."""

    def __init__(self, connection: Connection, dialect: str) -> None:
        self._connection, self._mark = connection, "?" if dialect == "sqlite" else "%b"
        self._chance = random.Random(7)
        patients = (
            f"SELECT patient_key, rid, id FROM resource WHERE type = {type_number('Patient')}"
        )
        self._patients = self._some(patients)[:_SAMPLES]
        rare = (
            "SELECT code, min(text), count(*) FROM token WHERE param = "
            f"{_param('Condition', 'code')} AND code <> 0 GROUP BY code HAVING count(*) >= 12"
        )
        self._rare = sorted(self._rows(rare), key=lambda row: row[2])[:8]

    def latest_of_a_code(self) -> Workload:
        code, date = _param("Observation", "code"), _param("Observation", "date")
        found = []
        for key, _, id in self._patients:
            counted = (
                f"SELECT code, min(text), count(*) FROM token WHERE patient_key = {key} AND "
                f"param = {code} AND code <> 0 GROUP BY code"
            )
            for hash, text, _ in sorted(self._rows(counted), key=lambda row: -row[2])[:1]:
                query = f"patient={id}&code={text}&_sort=-date&_count=20"
                found.append((f"/Observation?{query}", (date, key, code, hash)))
        return self._workload(
            "latest 20 of a code",
            found,
            f"SELECT {_BODY} FROM token t JOIN date d ON d.patient_key = t.patient_key AND "
            f"d.rid = t.rid AND d.param = ? {_OF_T} WHERE t.patient_key = ? AND t.param = ? "
            "AND t.code = ? AND r.deleted = false ORDER BY d.low DESC, t.rid DESC LIMIT 20",
            limit=15,
            within=True,
        )

    def category_in_a_range(self) -> Workload:
        category, date = _param("Observation", "category"), _param("Observation", "date")
        found = []
        for key, _, id in self._patients:
            days = self._rows(
                f"SELECT low FROM date WHERE patient_key = {key} AND param = {date} ORDER BY low"
            )
            if days:
                year = datetime.fromtimestamp(days[len(days) // 2][0] / 1e6, UTC).year - 1
                low, high = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp() * 1e6)
                             for y in (year, year + 2))  # fmt: skip
                query = f"date=ge{year}-01-01&date=lt{year + 2}-01-01&_sort=date&_count=20"
                address = f"/Observation?patient={id}&category=laboratory&{query}"
                found.append((address, (key, date, low, high, category)))
        labs = self._rows(
            f"SELECT code FROM token WHERE param = {category} AND text = 'laboratory' LIMIT 1"
        )
        return self._workload(
            "category, dates, sort",
            found,
            f"SELECT {_BODY} FROM date d JOIN token t ON t.patient_key = d.patient_key AND "
            f"t.rid = d.rid {_OF_T} WHERE d.patient_key = ? AND d.param = ? AND d.low >= ? "
            f"AND d.low < ? AND t.param = ? AND t.code = {labs[0][0]} AND r.deleted = false "
            "ORDER BY d.low, d.rid LIMIT 20",
            limit=15,
            within=True,
        )

    def encounters_with_more(self) -> Workload:
        encounter = type_number("Encounter")
        referring, organisation = (
            _path("Observation", "encounter"),
            _path("Encounter", "service-provider"),
        )
        page = (
            "SELECT patient_key, rid FROM resource WHERE patient_key = ? AND "
            f"type = {encounter} AND deleted = false ORDER BY rid LIMIT 10"
        )
        along = "_include=Encounter:service-provider&_revinclude=Observation:encounter"
        return self._workload(
            "_include, _revinclude",
            self._each_patient(f"/Encounter?patient={{}}&_count=10&{along}"),
            f"WITH p AS ({page}), i AS (SELECT * FROM p UNION SELECT f.patient_key, f.rid "
            "FROM p CROSS JOIN reference f WHERE f.target_rid = p.rid AND f.target_key = "
            f"p.patient_key AND f.path = {referring} UNION SELECT f.target_key, f.target_rid "
            "FROM p CROSS JOIN reference f WHERE f.patient_key = p.patient_key AND "
            f"f.rid = p.rid AND f.path = {organisation}) SELECT {_BODY} FROM i CROSS JOIN "
            f"resource r {_WITH} WHERE r.patient_key = i.patient_key AND r.rid = i.rid",
            limit=15,
            within=True,
        )

    def count_of_one(self) -> Workload:
        return self._workload(
            "_summary=count of one",
            self._each_patient("/Observation?patient={}&_summary=count"),
            "SELECT count(*) FROM resource WHERE patient_key = ? AND "
            f"type = {type_number('Observation')} AND deleted = false",
            limit=15,
            within=True,
        )

    def identifier(self) -> Workload:
        rows = self._some(
            "SELECT hash, value FROM identifier_locator WHERE value LIKE '%us-ssn|%' AND "
            f"type = {type_number('Patient')}"
        )[:_SAMPLES]
        return self._workload(
            "identifier",
            [(f"/Patient?identifier={quote(value)}", (hash, value)) for hash, value in rows],
            f"SELECT {_BODY} FROM identifier_locator t {_OF_T} WHERE t.hash = ? AND "
            f"t.value = ? AND t.type = {type_number('Patient')} AND r.deleted = false",
            limit=20,
        )

    def name_and_birth(self) -> Workload:
        name, birth = _param("Patient", "family"), _param("Patient", "birthdate")
        found = []
        for key, rid, _ in self._patients:
            at = f"WHERE patient_key = {key} AND rid = {rid} AND param ="
            [(family, *_), *_] = self._rows(f"SELECT value FROM string {at} {name}")
            [(low, high), *_] = self._rows(f"SELECT low, high FROM date {at} {birth}")
            day = datetime.fromtimestamp(low / 1e6, UTC).date()
            values = (_param("Patient", "name"), family[:4], family[:4] + "~", birth, low, high)
            found.append((f"/Patient?name={family[:4]}&birthdate={day}", values))
        return self._workload(
            "name prefix, birth date",
            found,
            f"SELECT DISTINCT {_BODY} FROM string t JOIN date d ON d.patient_key = "
            f"t.patient_key AND d.rid = t.rid {_OF_T} WHERE t.param = ? AND t.value >= ? AND "
            "t.value < ? AND d.param = ? AND d.low >= ? AND d.high <= ? AND r.deleted = false",
            limit=20,
        )

    def rare_code(self) -> Workload:
        param = _param("Condition", "code")
        return self._workload(
            "rare code, all patients",
            [(f"/Condition?code={text}&_count=20", (hash,)) for hash, text, _ in self._rare],
            f"SELECT {_BODY} FROM token t {_OF_T} WHERE t.param = {param} AND t.code = ? "
            "AND r.deleted = false ORDER BY t.patient_key, t.rid LIMIT 20",
        )

    def reverse_chain(self) -> Workload:
        param, patient = _param("Condition", "code"), type_number("Patient")
        asked = "/Patient?_has:Condition:patient:code="
        return self._workload(
            "_has, rare code",
            [(f"{asked}{text}", (hash,)) for hash, text, _ in self._rare],
            f"SELECT {_BODY} FROM resource r {_WITH} WHERE r.type = {patient} AND "
            "r.deleted = false AND r.patient_key IN (SELECT t.patient_key FROM token t "
            f"WHERE t.param = {param} AND t.code = ?) ORDER BY r.patient_key LIMIT 20",
            limit=150,
        )

    def chain_of_two(self) -> Workload:
        name, path = _param("Patient", "family"), _path("Condition", "encounter")
        families = self._rows(
            f"SELECT value, count(*) FROM string WHERE param = {name} GROUP BY value"
        )
        some = [value for value, _ in sorted(families, key=lambda row: (-row[1], row[0]))[:40]]
        asked = "/Condition?encounter:Encounter.subject:Patient.family:exact="
        return self._workload(
            "chain of two steps",
            [(f"{asked}{value.title()}", (value,)) for value in some],
            f"SELECT {_BODY} FROM resource r {_WITH} WHERE r.type = "
            f"{type_number('Condition')} AND r.deleted = false AND r.patient_key IN (SELECT "
            f"patient_key FROM string WHERE param = {name} AND value = ?) AND EXISTS (SELECT "
            "1 FROM reference f WHERE f.patient_key = r.patient_key AND f.rid = r.rid AND "
            f"f.path = {path}) ORDER BY r.patient_key, r.rid LIMIT 20",
            limit=150,
        )

    def _workload(
        self,
        name: str,
        asked: Sequence[Question],
        sql: str,
        *,
        limit: float | None = None,
        within: bool = False,
    ) -> Workload:
        paths, values = tuple(path for path, _ in asked), tuple(some for _, some in asked)
        return Workload(name, paths, sql.replace("?", self._mark), values, limit, within)

    def _each_patient(self, path: str) -> list[Question]:
        return [(path.format(id), (key,)) for key, _, id in self._patients]

    def _rows(self, sql: str) -> list[Any]:
        return [tuple(row) for row in self._connection.exec_driver_sql(sql.replace("%", "%%"
                if self._mark != "?" else "%")).all()]  # fmt: skip

    def _some(self, sql: str) -> list[Any]:
        rows = sorted(self._rows(sql))
        self._chance.shuffle(rows)
        return rows


def _param(type: str, code: str) -> int:
    return for_type(type)[code].param_id


def _path(type: str, code: str) -> int:
    return min(path for path, _ in reference_paths(for_type(type)[code]))
