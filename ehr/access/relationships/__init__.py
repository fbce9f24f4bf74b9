"""Who has to do with whom: relationships that resources give rise to, and their rows."""

from ehr.access.relationships.derived import SOURCES, relationships_of
from ehr.access.relationships.kinds import Ceiling, Kind, Relationship, Source

__all__ = ["SOURCES", "Ceiling", "Kind", "Relationship", "Source", "relationships_of"]
