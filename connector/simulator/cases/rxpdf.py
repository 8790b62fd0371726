"""The prescription as a one-page PDF, written by hand: the only place where the practice's name stands."""

from __future__ import annotations

from connector.simulator.cases.spec import CaseSpec

LINES_A_PAGE = 44


def rx_pdf(spec: CaseSpec) -> bytes:
    """A valid one-page A4 PDF 1.4 in Helvetica; letters outside WinAnsi become question marks."""
    content = _content(spec)
    fonts = b"/Font << /F1 5 0 R /F2 6 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << " + fonts + b" >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    ]
    return _file(objects)


def _file(objects: list[bytes]) -> bytes:
    body = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table) + trailer


def _content(spec: CaseSpec) -> bytes:
    rows = [
        b"0.91 0.95 0.97 rg 0 762 595 80 re f 0.1 0.2 0.3 rg",
        _text(50, 798, "iTero Rx", size=20, bold=True),
        _text(50, 776, f"Order {spec.order_id}    Code {spec.order_code}    Scan {spec.revision}"),
    ]
    y = 735
    for label, value in _fields(spec)[:LINES_A_PAGE]:
        if label:
            rows.append(_text(50, y, label, bold=True))
        rows.append(_text(170, y, value))
        y -= 17
    return b"\n".join(rows)


def _fields(spec: CaseSpec) -> list[tuple[str, str]]:
    rows = [
        ("Practice", spec.practice_name),
        ("", spec.practice_address),
        ("Doctor", f"{spec.doctor_name}    License {spec.doctor_license}"),
        ("Patient", f"{spec.patient_last}, {spec.patient_first}"),
        ("Chart", spec.chart_number or "-"),
        ("Procedure", f"{spec.procedure} ({spec.case_type})"),
        ("Scanned", f"{spec.scan_date:%m/%d/%Y %H:%M} UTC"),
        ("Due", f"{spec.due_date:%m/%d/%Y}"),
        ("", ""),
    ]
    for item in spec.items:
        shade = f"{item.shade_system} {item.incisal}/{item.body}/{item.gingival}"
        rows.append((f"Tooth {item.tooth}", f"{item.treatment}    {item.material}    {shade}"))
    notes = [] if spec.notes == "Null" else spec.notes.splitlines()
    rows += [("Notes" if not index else "", line) for index, line in enumerate(notes)]
    return [*rows, ("", ""), ("Signed", f"{spec.doctor_name} (electronically)")]


def _text(x: int, y: int, text: str, *, size: int = 10, bold: bool = False) -> bytes:
    raw = text.encode("cp1252", "replace")
    escaped = raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    return b"BT /%s %d Tf %d %d Td (%s) Tj ET" % (b"F2" if bold else b"F1", size, x, y, escaped)
