"""A small replayer of TestScripts (R4 §5.4): operations and asserts of the basic interactions.

It knows the dialects of the reference scripts: fixtures held inline, in files, or named by type
(then one of HL7's examples), and the extensions `fhirVersions` and `assertionAnyOfGroup`. Bundles
are sent with Prefer: return=representation. It is a test helper, not the real runner.
"""

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from posixpath import dirname, join
from typing import Any

from werkzeug.test import TestResponse

from fhir_profiles import fhirpath, json_format, xml_format
from tests.client import Client
from tests.shared_data import shared

_STATUS = {
    "okay": {200, 201, 202, 204}, "created": {201}, "noContent": {204}, "notModified": {304},
    "bad": {400}, "forbidden": {403}, "notFound": {404}, "methodNotAllowed": {405},
    "conflict": {409}, "gone": {410}, "preconditionFailed": {412}, "unprocessable": {422},
}  # fmt: skip
_MEDIA = {"xml": "application/fhir+xml", "json": "application/fhir+json"}
_METHOD = {
    "create": "POST", "update": "PUT", "updateCreate": "PUT", "delete": "DELETE", "patch": "PATCH",
    "batch": "POST", "transaction": "POST",
}  # fmt: skip
_VERSION_EXTENSION = "http://ignixa.io/testscript/fhirVersions"
_GROUP_EXTENSION = "http://ignixa.io/testscript/assertionAnyOfGroup"


def members(archive: str) -> dict[str, Any]:
    """Return every JSON document of an archive of scripts by its name."""
    with tarfile.open(shared(f"testscripts/{archive}.tar.gz")) as found:
        return {
            member.name: json.loads(found.extractfile(member).read())  # type: ignore[union-attr]  # a file
            for member in found.getmembers()
            if member.isfile() and member.name.endswith(".json")
        }


@dataclass
class Replay:
    """One script under way: fixtures, what was answered, and what went wrong, test by test."""

    client: Client
    script: dict[str, Any]
    fixtures: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, TestResponse] = field(default_factory=dict)
    last: TestResponse | None = None
    faults: dict[str, list[str]] = field(default_factory=dict)

    def run(self) -> dict[str, list[str]]:
        """Replay set-up, tests and tear-down; return the faults of each test that has some."""
        self._actions("setup", self.script.get("setup"))
        for test in self.script["test"]:
            if _is_r4(test) and not self._lacks_example(test):
                self._actions(test.get("name") or test.get("id"), test)
        self._actions("teardown", self.script.get("teardown"))
        return self.faults

    def _actions(self, name: str, part: dict[str, Any] | None) -> None:
        groups: dict[str, list[str]] = {}
        for action in (part or {}).get("action", []):
            if "operation" in action:
                self._operate(action["operation"])
                continue
            asked = action["assert"]
            fault = self._judge(asked)
            group = _extension(asked, _GROUP_EXTENSION)
            if group is not None:
                groups.setdefault(group, []).append(fault)
            elif fault and not asked.get("warningOnly"):
                self.faults.setdefault(name, []).append(fault)
        for faults in groups.values():
            if all(faults):
                self.faults.setdefault(name, []).append(" and ".join(faults))

    def _lacks_example(self, test: dict[str, Any]) -> bool:
        """Tell whether a test creates one of a type that HL7's examples don't have."""
        sources = [action.get("operation", {}).get("sourceId") for action in test["action"]]
        return any(
            self.fixtures[source].keys() == {"resourceType"}
            for source in sources
            if source in self.fixtures
        )

    def _operate(self, asked: dict[str, Any]) -> None:
        code = asked.get("type", {}).get("code", "read")
        method = str(asked.get("method", _METHOD.get(code, "GET"))).upper()
        headers = {
            one["field"]: self._filled(one["value"]) for one in asked.get("requestHeader", [])
        }
        if code in ("batch", "transaction"):
            headers.setdefault("Prefer", "return=representation")
        headers.setdefault("Accept", _MEDIA["json"])
        if "accept" in asked:
            headers["Accept"] = _MEDIA.get(asked["accept"], asked["accept"])
        kind = _MEDIA.get(asked.get("contentType", "json"), asked.get("contentType", "json"))
        kind = headers.pop("Content-Type", kind)
        body = None
        if "sourceId" in asked and method in ("POST", "PUT", "PATCH"):
            body = self._body(asked["sourceId"], kind)
        self.last = self.client.request(
            method, self._path(asked, code), body, headers=headers, content_type=kind
        )
        if "responseId" in asked:
            self.answers[asked["responseId"]] = self.last

    def _path(self, asked: dict[str, Any], code: str) -> str:
        if "url" in asked:
            return self._filled(asked["url"] + asked.get("params", "")).lstrip("/")
        place = asked.get("resource", "")
        if "targetId" in asked:
            target = self._resource(asked["targetId"])
            place = f"{target['resourceType']}/{target['id']}"
            if code == "history":
                place += "/_history"
            if code == "vread":
                place += f"/_history/{target['meta']['versionId']}"
        if code == "create" and not place and "sourceId" in asked:
            place = self._resource(asked["sourceId"])["resourceType"]
        if code in ("update", "updateCreate") and "params" not in asked and "/" not in place:
            source = self._resource(asked["sourceId"])
            place = "/".join([source["resourceType"], *filter(None, [source.get("id")])])
        if code == "capabilities":
            place = "metadata"
        return f"{place}{self._filled(asked.get('params', ''))}".lstrip("/")

    def _body(self, source: str, kind: str) -> bytes:
        found = self._resource(source)
        if isinstance(found, dict) and found.get("resourceType") == "Binary" and "patch+" in kind:
            import base64

            return base64.b64decode(found["data"])
        text = self._filled(json.dumps(found)).encode()
        if "xml" in kind and isinstance(found, dict):
            return xml_format.serialise(json_format.parse(text))
        return text

    def _resource(self, name: str) -> Any:
        if name in self.fixtures:
            return self.fixtures[name]
        return _parsed(self.answers[name])

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda found: self._variable(found[1]), text)

    def _variable(self, name: str) -> str:
        (variable,) = (one for one in self.script.get("variable", []) if one["name"] == name)
        source = variable.get("sourceId")
        if source is None or (source not in self.answers and source not in self.fixtures):
            return str(variable.get("defaultValue", ""))
        if "headerField" in variable:
            return self.answers[source].headers.get(variable["headerField"], "")
        path = variable.get("expression") or _as_expression(variable["path"])
        found = _evaluate(path, self._resource(source))
        return str(found[0]) if found else str(variable.get("defaultValue", ""))

    def _judge(self, asked: dict[str, Any]) -> str:
        """Return what is wrong with an assert, an empty text where it holds."""
        source = asked.get("sourceId")
        answer = self.answers.get(source, self.last) if source else self.last
        assert answer is not None
        wrong = "; ".join(self._wrong(asked, answer, source))
        if not wrong:
            return ""
        sent = answer.get_data(as_text=True)[:300]
        return f"{asked.get('description', asked.get('label', ''))}: {wrong} ({sent})"

    def _wrong(self, asked: dict[str, Any], answer: TestResponse, source: str | None) -> list[str]:
        found: list[str] = []
        if "response" in asked and answer.status_code not in _STATUS[asked["response"]]:
            found.append(f"{answer.status_code} is not {asked['response']}")
        if "responseCode" in asked:
            wanted = self._filled(asked["responseCode"]).split(",")
            is_in = str(answer.status_code) in [one.strip() for one in wanted]
            if is_in == str(asked.get("operator", "")).startswith("not"):
                found.append(f"{answer.status_code} is not in {wanted}")
        if "resource" in asked and _parsed(answer).get("resourceType") != asked["resource"]:
            found.append(f"it is no {asked['resource']}")
        if "contentType" in asked:
            kind = _MEDIA.get(asked["contentType"], asked["contentType"])
            if kind not in answer.content_type:
                found.append(f"{answer.content_type} is not {kind}")
        if "headerField" in asked:
            value = answer.headers.get(asked["headerField"], "")
            found += self._compared(asked, [value] if value else [])
        if "expression" in asked or "path" in asked:
            of = self._resource(source) if source in self.fixtures else _parsed(answer)
            path = asked.get("expression") or _as_expression(asked["path"])
            found += self._compared(asked, _evaluate(self._filled(path), of))
        if "responseBody" in asked and not re.search(
            asked["responseBody"], answer.get_data(as_text=True)
        ):
            found.append("the body does not match")
        return found

    def _compared(self, asked: dict[str, Any], values: list[Any]) -> list[str]:
        operator = asked.get("operator", "equals" if "value" in asked else "notEmpty")
        texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
        wanted = self._filled(str(asked.get("value", "")))
        holds = {
            "equals": texts[:1] == [wanted],
            "notEquals": texts[:1] != [wanted],
            "notEmpty": bool(texts) and texts != ["false"],
            "empty": not texts,
            "contains": any(wanted in text for text in texts),
            "notContains": not any(wanted in text for text in texts),
            "in": bool(texts) and texts[0] in wanted.split(","),
            "notIn": not texts or texts[0] not in wanted.split(","),
            "greaterThan": bool(texts) and _number(texts[0]) > _number(wanted),
            "lessThan": bool(texts) and _number(texts[0]) < _number(wanted),
        }[operator]
        return [] if holds else [f"{texts[:3]} {operator} {wanted} does not hold"]


def replay(client: Client, name: str, documents: dict[str, Any]) -> dict[str, list[str]]:
    """Replay one script of an archive; return the faults by test."""
    script = documents[name]
    fixtures: dict[str, Any] = {}
    for fixture in script.get("fixture", []):
        resource = fixture["resource"]
        if "reference" in resource and "resourceType" not in resource:
            resource = documents[join(dirname(name), resource["reference"].lstrip("./"))]
        faked = [one["valueCode"] for one in resource.get("extension", []) if "valueCode" in one]
        if "resourceType" not in resource and faked:
            resource = _example(faked[0])
        fixtures[fixture["id"]] = resource
    return Replay(client, script, fixtures).run()


@cache
def _examples() -> dict[str, Any]:
    """Return one of HL7's examples of each type, the plainest, without its id."""
    found: dict[str, tuple[int, Any]] = {}
    with tarfile.open(shared("hl7-r4-examples/hl7.fhir.r4.examples-4.0.1.tar.gz")) as archive:
        for member in archive.getmembers():
            type = member.name.partition("/")[0]
            if member.name.endswith(".json") and "/" in member.name:
                data = archive.extractfile(member).read()  # type: ignore[union-attr]  # a file
                if type not in found or len(data) < found[type][0]:
                    found[type] = len(data), json.loads(data)
    return {type: resource for type, (_, resource) in found.items()}


def _example(type: str) -> Any:
    resource = dict(_examples().get(type, {"resourceType": type}))
    resource.pop("id", None)
    return resource


def _is_r4(test: dict[str, Any]) -> bool:
    versions = _extension(test, _VERSION_EXTENSION)
    return versions is None or "4.0" in versions.split(",")


def _extension(part: dict[str, Any], url: str) -> str | None:
    values: Iterator[str] = (
        one["valueString"] for one in part.get("extension", []) if one["url"] == url
    )
    return next(values, None)


def _parsed(answer: TestResponse) -> Any:
    data = answer.get_data()
    if not data:
        return {}
    return xml_format.parse(data) if "xml" in answer.content_type else json_format.parse(data)


def _as_expression(path: str) -> str:
    """Return a simple path, dotted or XPath, as FHIRPath."""
    plain = path.removeprefix(".//").replace("fhir:", "").replace("/@value", "").strip("/.")
    return plain.replace("/", ".")


def _evaluate(expression: str, resource: Any) -> list[Any]:
    return fhirpath.compile(expression).evaluate(resource) if resource else []


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
