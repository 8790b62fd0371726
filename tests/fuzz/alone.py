"""The production way, one child for each file, gives the same answers as the many-in-one child of the big run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

from connector.scans.examination import ExaminationFailed, examine
from connector.scans.examiner import examine_here
from connector.scans.record_json import write_record
from connector.scans.rejection import ArchiveRejected
from tests.fuzz.mutants import mutant


def differences(seed: int, last: int, sample: int) -> Iterator[tuple[int, str]]:
    """(number, what differs) of a random sample of mutants below `last`."""
    numbers = Random(seed).sample(range(last), sample)
    with ThreadPoolExecutor(2) as pool:
        for number, said in zip(numbers, pool.map(lambda each: _difference(seed, each), numbers), strict=True):
            if said:
                yield number, said


def _difference(seed: int, number: int) -> str:
    with tempfile.TemporaryDirectory() as name:
        path, alone, together = Path(name) / "case.zip", Path(name) / "alone", Path(name) / "together"
        path.write_bytes(mutant(seed, number).data)
        alone.mkdir()
        together.mkdir()
        first, second = _answer(examine, path, alone), _answer(examine_here, path, together)
        if first != second:
            return "the answers differ"
        return "" if _files(alone) == _files(together) else "the files differ"


def _answer(reader: Any, path: Path, out_dir: Path) -> Any:
    try:
        return json.loads(json.dumps(write_record(reader(path, out_dir))))
    except ArchiveRejected as refusal:
        return [refusal.code, refusal.member_label]
    except ExaminationFailed as failure:
        return failure.code


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
