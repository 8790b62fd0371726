"""Numbers in ASCII meshes, read strictly: numpy by itself stops quietly at the first word that is no number."""

import warnings

import numpy as np
from numpy.typing import NDArray

from connector.scans.mesh import MeshRejected


def numbers(text: bytes) -> NDArray[np.float64]:
    """All white-space separated numbers; raises MeshRejected('mesh_format') at anything else."""
    if not text.strip():
        return np.empty(0, np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text.decode("ascii"), dtype=np.float64, sep=" ")
        except (ValueError, DeprecationWarning):
            raise MeshRejected("mesh_format") from None
