"""Invents dental cases and builds the zips in which Align's cloud would hand them out."""

from connector.simulator.cases.broken import BROKEN_KINDS, broken_zip
from connector.simulator.cases.exports import build_full_zip, build_thumbnail_zip
from connector.simulator.cases.inventing import invent_case
from connector.simulator.cases.spec import CaseItem, CaseSpec

__all__ = [
    "BROKEN_KINDS",
    "CaseItem",
    "CaseSpec",
    "broken_zip",
    "build_full_zip",
    "build_thumbnail_zip",
    "invent_case",
]
