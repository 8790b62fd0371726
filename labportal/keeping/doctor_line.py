"""One line of the doctor's page."""

from dataclasses import dataclass

OK, LOOK, BAD = "ok", "look", "bad"


@dataclass(frozen=True)
class Line:
    """`tone` is ok, look or bad; `todo` says what to do when it is not ok."""

    tone: str
    name: str
    found: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{self.tone:<5} {self.name:<18} {self.found}{f'. {self.todo}' if self.todo else ''}"
