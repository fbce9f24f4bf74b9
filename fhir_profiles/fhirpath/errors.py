"""What can go wrong with a FHIRPath expression, and where in its text."""


class FhirPathError(Exception):
    """An expression that cannot be evaluated on this input. `position` is an offset or -1."""

    def __init__(self, message: str, position: int = -1, expression: str = "") -> None:
        super().__init__(message, position, expression)
        self.message = message
        self.position = position
        self.expression = expression

    def __str__(self) -> str:
        if self.position < 0:
            return self.message
        line = self.expression.count("\n", 0, self.position) + 1
        column = self.position - (self.expression.rfind("\n", 0, self.position) + 1) + 1
        return f"{self.message} (line {line}, column {column})"

    def located(self, position: int, expression: str) -> "FhirPathError":
        """Fill in the place where it is not known yet, and return the same error."""
        if self.position < 0:
            self.position = position
        if not self.expression:
            self.expression = expression
        self.args = (self.message, self.position, self.expression)
        return self


class FhirPathSyntaxError(FhirPathError):
    """A text that is no FHIRPath: bad grammar, unknown function, unknown type."""
