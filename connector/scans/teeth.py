"""Tooth numbers: iTero counts in the ADA (universal) system, labs outside North America read FDI."""

_FDI_BY_QUADRANT = (range(18, 10, -1), range(21, 29), range(38, 30, -1), range(41, 49))
_FDI = tuple(tooth for quadrant in _FDI_BY_QUADRANT for tooth in quadrant)


def ada_to_fdi(tooth: int) -> int:
    """The FDI number (11 to 48) of a permanent tooth counted 1 to 32; raises ValueError outside."""
    if not 1 <= tooth <= 32:
        raise ValueError(f"no ADA tooth {tooth}")
    return _FDI[tooth - 1]


def fdi_to_ada(tooth: int) -> int:
    """The ADA number (1 to 32) of a permanent tooth counted 11 to 48; raises ValueError outside."""
    if tooth not in _FDI:
        raise ValueError(f"no FDI tooth {tooth}")
    return _FDI.index(tooth) + 1
