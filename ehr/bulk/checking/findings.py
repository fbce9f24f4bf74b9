"""What a check found: rules, what breaks them and what to do; bounded, however much is broken."""

from collections.abc import Iterable
from dataclasses import dataclass, field

_SHOWN = 10
BACKUP = "Restore from a backup, or report it to the maintainers."
REBUILD = (
    "Run `ehr reindex`, or `ehr check --deep --repair`: they make index rows anew from the bodies."
)


@dataclass(slots=True)
class Finding:
    """One rule, what breaks it and what to do then. `is_note`: worth knowing, no fault."""

    name: str
    remedy: str = BACKUP
    is_note: bool = False
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        """Count one more; the first few are kept as examples."""
        self.count += 1
        if len(self.examples) < _SHOWN:
            self.examples.append(example)


@dataclass(slots=True)
class Report:
    """Every rule that was asked, and how much was read."""

    findings: list[Finding] = field(default_factory=list)
    versions: int = 0
    resources: int = 0
    repaired: int = 0

    def rule(self, name: str, remedy: str = BACKUP, *, is_note: bool = False) -> Finding:
        """Begin to ask one more rule."""
        finding = Finding(name, remedy, is_note)
        self.findings.append(finding)
        return finding

    @property
    def is_sound(self) -> bool:
        """Tell whether no rule is broken."""
        return not any(self.faults)

    @property
    def faults(self) -> Iterable[Finding]:
        """Return the rules that are broken."""
        return [one for one in self.findings if one.count and not one.is_note]
