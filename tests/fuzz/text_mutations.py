"""Texts that have broken programs before, and putting them where a document or an answer has a value."""

from __future__ import annotations

import re
from random import Random
from xml.sax.saxutils import escape

EVIL = (
    "", " ", "-1", "Null", "none", "0", "-0", "1e999", "NaN", "Infinity", "9" * 400, "-" + "9" * 30, "0x10", "١٩", "½",
    "²", "true", "12/31/9999", "02/30/2026", "0000-00-00", "9999-12-31T23:59:60Z", "2026-13-45", "+25:99", "-14:00:00",
    "x" * 20_000, "=cmd|' /C calc'!A0", "@SUM(1)", "+1", "\t=1", "<script>alert(1)</script>", "\"' onload=x",
    "{{7*7}}", "%s%n%x", "{0.__class__}", "../../etc/passwd", "C:\\x", "\u202egpj.exe", "\u0301" * 50, "\u200b",
    "\ufeff", "\U0001f9b7", "e\u0301", "\r\nSet-Cookie: x=1", "\x85\u2028", "'; DROP TABLE orders_order;--",
    "file:///etc/passwd", "javascript:alert(1)", "Smith, ", ", John", ",",
)  # fmt: skip
_VALUES = re.compile(r'(?<==)"[^"]*"|(?<=>)[^<>\n]+(?=<)')


def retext(rng: Random, document: bytes) -> bytes:
    """An XML document, well-formed as before, with one to five values replaced."""
    text = document.decode("utf-8", "replace")
    places = list(_VALUES.finditer(text))
    for place in sorted(rng.sample(places, min(len(places), rng.choice((1, 2, 5)))), key=lambda each: -each.start()):
        value = escape(rng.choice(EVIL), {'"': "&quot;"})
        quoted = f'"{value}"' if place[0].startswith('"') else value
        text = text[: place.start()] + quoted + text[place.end() :]
    return text.encode("utf-8", "replace")
