"""Sizes in words."""


def in_bytes(size: int | None) -> str:
    """Like 61.4 MB or 214 kB; decimal units, as file managers and Align show them."""
    if size is None:
        return ""
    if size < 1000:
        return f"{size} bytes"
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    if size < 1_000_000_000:
        return f"{size / 1e6:.1f} MB"
    return f"{size / 1e9:.2f} GB"
