"""A table of the profile file, read key by key so that every complaint names its key."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from connector.itero.errors import ProfileError

T = TypeVar("T")
JsonPath = tuple[str, ...]


class TomlTable:
    """One table of the file; `finish()` refuses the keys that nobody asked for, which are mostly misspelt ones."""

    def __init__(self, values: Mapping[str, object], at: str = "") -> None:
        self._values = values
        self._at = at
        self._read: set[str] = set()

    def name_of(self, key: str) -> str:
        """The key as a person writes it in the file, from the top."""
        return f"{self._at}.{key}" if self._at else key

    def fail(self, key: str, words: str) -> ProfileError:
        """The error for a key, in words."""
        return ProfileError(f"profile: {self.name_of(key)} {words}")

    def _get(self, key: str) -> object:
        self._read.add(key)
        if key not in self._values:
            raise self.fail(key, "is missing")
        return self._values[key]

    def text(self, key: str, *, empty: bool = True) -> str:
        """A string."""
        value = self._get(key)
        if not isinstance(value, str):
            raise self.fail(key, "must be a text in quotes")
        if not empty and not value.strip():
            raise self.fail(key, "must not be empty")
        if re.search(r"[\x00-\x1f\x7f]", value):
            raise self.fail(key, "must not hold control characters")
        return value

    def choice(self, key: str, *allowed: str) -> str:
        """One of a few strings."""
        value = self.text(key)
        if value not in allowed:
            raise self.fail(key, f"must be one of {', '.join(allowed)}")
        return value

    def flag(self, key: str) -> bool:
        """true or false."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise self.fail(key, "must be true or false")
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        """A whole number between two bounds, both included."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.fail(key, f"must be a whole number from {low} to {high}")
        return value

    def texts(self, key: str, *, empty: bool = True) -> tuple[str, ...]:
        """A list of strings."""
        value = self._get(key)
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            raise self.fail(key, "must be a list of texts in quotes")
        if not empty and not value:
            raise self.fail(key, "must name at least one")
        return tuple(value)

    def path(self, key: str, *, empty: bool = True) -> JsonPath:
        """The way to a value in a JSON answer, written with dots; empty when Align does not deliver it."""
        value = self.text(key, empty=empty)
        parts = tuple(value.split(".")) if value else ()
        if not all(part.strip() for part in parts):
            raise self.fail(key, "must be names joined by single dots, as in patient.firstName")
        return parts

    def paths(self, *keys: str, required: tuple[str, ...] = ()) -> dict[str, JsonPath]:
        """Several paths of one table, some of which must not be empty."""
        return {key: self.path(key, empty=key not in required) for key in keys}

    def table(self, key: str) -> "TomlTable":
        """A table inside this one."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self.fail(key, "must be a table")
        return TomlTable(value, self.name_of(key))

    def tables(self, key: str) -> tuple["TomlTable", ...]:
        """A list of tables."""
        value = self._get(key)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.fail(key, "must be a list of tables")
        return tuple(TomlTable(one, f"{self.name_of(key)}[{index}]") for index, one in enumerate(value))

    def strings(self) -> dict[str, str]:
        """The whole table as names and texts, for parameters that Align may ask for in addition."""
        return {key: self.text(key, empty=False) for key in self._values}

    def read(self, key: str, build: Callable[["TomlTable"], T]) -> T:
        """A table inside this one, built into its section and checked for left-over keys."""
        inner = self.table(key)
        section = build(inner)
        inner.finish()
        return section

    def finish(self) -> None:
        """Refuse keys that are not part of a profile."""
        unknown = sorted(set(self._values) - self._read)
        if unknown:
            raise self.fail(unknown[0], "is not a key of a profile")
