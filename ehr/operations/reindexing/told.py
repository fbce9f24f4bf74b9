"""What came of a `$reindex`, as data: counts by type, table and parameter, and what disagrees."""

from collections.abc import Collection, Mapping
from typing import Any

from ehr.operations.reindexing.proof import Proof
from ehr.search.definitions import holds
from ehr.search.parameters.custom import Definition, definition_of
from ehr.store.reindex_runs import DONE, FAILED, Run
from ehr.store.search_definitions import Indexed
from fhir_profiles.definitions import resource_types
from fhir_profiles.search_parameters import for_type

Part = dict[str, Any]
_SHOWN = 50


def told(
    proof: Proof, rows: Collection[Indexed], wanted: Mapping[str, Definition], run: Run
) -> Part:
    """Return what a run did and what its proof found."""
    return {
        "state": DONE if proof.holds else FAILED,
        "visited": run.visited,
        "changed": run.changed,
        "types": [
            {"type": name, "resources": number, "indexed": proof.read[name] - proof.behind[name]}
            for name, number in sorted(proof.resources.items())
        ],
        "tables": _tables(proof),
        "parameters": [_parameter(proof, url, one, rows) for url, one in sorted(wanted.items())],
        "disagreements": _disagreements(proof),
        "unfit": [
            {"expression": text, "resources": number}
            for text, number in sorted(proof.failed.items())
        ],
    }


def _tables(proof: Proof) -> list[Part]:
    names = sorted({name for name, _ in (*proof.expected, *proof.counted)} - {"unresolved"})
    return [
        {
            "table": name,
            "expected": sum(n for (table, _), n in proof.expected.items() if table == name),
            "counted": sum(n for (table, _), n in proof.counted.items() if table == name),
        }
        for name in names
    ]


def _parameter(proof: Proof, url: str, one: Definition, rows: Collection[Indexed]) -> Part:
    ids = {each.param_id for each in one.parameters}
    made = [row for row in rows if row.url == url and holds(row, {url: one})]
    state = "ready" if any(row.ready for row in made) else "indexing" if made else "stored"
    return {
        "url": url,
        "code": one.parameters[0].code,
        "state": state,
        "expected": sum(n for (_, id), n in proof.expected.items() if id in ids),
        "counted": sum(n for (_, id), n in proof.counted.items() if id in ids),
    }


def _disagreements(proof: Proof) -> list[Part]:
    names = _names() if proof.disagreements else {}
    found = [
        {"table": table, "parameter": names.get(id, str(id)), "expected": due, "counted": there}
        for (table, id), (due, there) in proof.disagreements.items()
    ]
    return found[:_SHOWN]


def _names() -> dict[int | None, str]:
    """Return the names of R4's parameters by the ids of their rows."""
    return {
        one.param_id: f"{name}.{code}"
        for name in resource_types()
        for code, one in for_type(name).items()
    }


def states(rows: Collection[Indexed], wanted: Mapping[str, Definition]) -> list[Part]:
    """Return in which state each definition is."""
    found = [_parameter(Proof(), url, one, rows) for url, one in sorted(wanted.items())]
    found = [{key: one[key] for key in ("url", "code", "state")} for one in found]
    gone = [
        {
            "url": row.url,
            "code": definition_of(row.url, row.definition).parameters[0].code,
            "state": "withdrawn",
        }
        for row in rows
        if row.until is None and not holds(row, wanted)
    ]
    return found + gone
