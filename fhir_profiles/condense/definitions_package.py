"""The FHIR package file as data: its name and its conformance resources by type.

Package format: https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
"""

import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True)
class Package:
    """Name, version and resources of a package, the resources in the order of their URLs."""

    name: str
    version: str
    license: str
    resources: tuple[Resource, ...]

    def of_type(self, resource_type: str) -> list[Resource]:
        """Return the resources of one type."""
        return [each for each in self.resources if each["resourceType"] == resource_type]

    def counts(self) -> dict[str, int]:
        """Return how many resources of each type the package has."""
        return dict(sorted(Counter(each["resourceType"] for each in self.resources).items()))


def read_package(archive: bytes) -> Package:
    """Read a gzipped package archive."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        documents = dict(_documents(files))
    about = documents.pop("package/package.json")
    resources = [each for each in documents.values() if "resourceType" in each]
    resources.sort(key=lambda each: (each["resourceType"], each.get("url", ""), each["id"]))
    return Package(about["name"], about["version"], about["license"], tuple(resources))


def _documents(files: tarfile.TarFile) -> Iterator[tuple[str, Resource]]:
    for member in files:
        in_package = member.name.startswith("package/") and member.name.count("/") == 1
        if in_package and member.isfile() and member.name.endswith(".json"):
            content = files.extractfile(member)
            if content is not None:
                yield member.name, json.load(content)
