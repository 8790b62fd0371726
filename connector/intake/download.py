"""Ringing for downloads. Two rings at most are useful for one pairing; a lost one is found again by the sweep."""

from uuid import UUID

from labportal.doorbell import ring


def ring_download(lab_id: UUID, pairing_id: UUID) -> None:
    """Ask a downloads worker to fetch this pairing's next due revision; it rings again while more are due."""
    ring("connector.intake.tasks.download", lab_id, pairing_id, cluster="downloads")


def ring_examine(lab_id: UUID, revision_id: UUID) -> None:
    ring("connector.intake.tasks.examine", lab_id, revision_id)
