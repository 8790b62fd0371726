"""What is in a zip from Align's cloud: the guard, the metadata, the meshes, the pictures. No Django."""

from connector.scans.archive import ArchiveListing, Member, check_archive, open_member
from connector.scans.examination import ExaminationFailed, examine
from connector.scans.examination_record import PROBLEM_WORDS, Examination, ExaminedFile, Problem
from connector.scans.limits import LIMITS, Limits
from connector.scans.metadata import Bridge, CaseMetadata, ExportedObject, Restoration, find_metadata
from connector.scans.metadata_reader import MetadataRejected, read_metadata
from connector.scans.rejection import WORDS, ArchiveRejected
from connector.scans.roles import ROLES
from connector.scans.teeth import ada_to_fdi, fdi_to_ada

__all__ = [
    "LIMITS",
    "PROBLEM_WORDS",
    "ROLES",
    "WORDS",
    "ArchiveListing",
    "ArchiveRejected",
    "Bridge",
    "CaseMetadata",
    "Examination",
    "ExaminationFailed",
    "ExaminedFile",
    "ExportedObject",
    "Limits",
    "Member",
    "MetadataRejected",
    "Problem",
    "Restoration",
    "ada_to_fdi",
    "check_archive",
    "examine",
    "fdi_to_ada",
    "find_metadata",
    "open_member",
    "read_metadata",
]
