"""Doors for the task queue: ids in, call the service."""

from uuid import UUID

from connector.pairing import alarms
from connector.pairing.disconnect import finish_unpair
from connector.pairing.reservation import release_stale
from labportal.doors import door


@door
def unpair(lab_id: str, pairing_id: str) -> None:
    """Tell Align that a pairing ends; due again by itself until Align confirms."""
    finish_unpair(UUID(lab_id), UUID(pairing_id))


@door
def release(lab_id: str, pairing_id: str) -> None:
    """Give up a connection that was begun and never finished."""
    release_stale(UUID(lab_id), UUID(pairing_id))


@door
def alarm(lab_id: str, pairing_id: str) -> None:
    """Tell the lab's owners that a pairing stopped; again until the mail is out."""
    alarms.look(UUID(lab_id), UUID(pairing_id))
