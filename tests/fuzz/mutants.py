"""Mutant number n of a seed: always the same bytes, so that a finding can be made again from its two numbers."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.fuzz import mesh_mutations, seeds, text_mutations, zip_mutations
from tests.fuzz.byte_mutations import mutate
from tests.scans.zips import Part, build

# Of ten mutants: five zips, three meshes, one picture, one metadata document.
FAMILIES = ("zip", "mesh", "zip", "picture", "zip", "mesh", "zip", "document", "zip", "mesh")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A zip to be examined; `family` says what of it is mutated."""

    number: int
    family: str
    data: bytes


def mutant(seed: int, number: int) -> Mutant:
    """The same for equal numbers, on every machine."""
    rng = Random(f"{seed}:{number}")
    family = FAMILIES[number % len(FAMILIES)]
    make = {"zip": _zip, "mesh": _mesh, "picture": _picture, "document": _document}[family]
    return Mutant(number, family, make(rng))


def _zip(rng: Random) -> bytes:
    base = rng.choice(seeds.honest_zips() if rng.random() < 0.7 else seeds.hostile_zips())
    match rng.randrange(5):
        case 0:
            return mutate(rng, base, rng.choice(seeds.hostile_zips()))
        case 1:
            return zip_mutations.compose(rng, seeds.contents())
        case 2:
            return mutate(rng, zip_mutations.lie(rng, base), base)
        case 3:
            name = rng.choice(seeds.SHOWN)
            return seeds.case(**{name: mutate(rng, rng.choice(seeds.contents()), rng.choice(seeds.contents()))})
    return zip_mutations.lie(rng, base)


def _mesh(rng: Random) -> bytes:
    ending, base = rng.choice(seeds.meshes())
    other = rng.choice(seeds.meshes())[1]
    data = mesh_mutations.lie(rng, base) if rng.random() < 0.6 else mutate(rng, base, other)
    if rng.random() < 0.1:
        data = mutate(rng, data, other)
    parts = [Part(f"a_upper.{ending}".encode(), data, 0)]
    if rng.random() < 0.2:
        parts.append(Part(b"skin.jpg", rng.choice(seeds.pictures())[1], 0))
    return build(*parts)


def _picture(rng: Random) -> bytes:
    ending, base = rng.choice(seeds.pictures())
    data = mutate(rng, base, rng.choice(seeds.pictures())[1])
    return build(Part(f"gallery_1.{ending}".encode(), data, 0))


def _document(rng: Random) -> bytes:
    _, base = rng.choice(seeds.documents())
    data = text_mutations.retext(rng, base) if rng.random() < 0.7 else base
    if data is base or rng.random() < 0.1:
        data = mutate(rng, data, rng.choice(seeds.documents())[1])
    return build(Part(b"iTero_Export_#1_v50.xml", data, 0), Part(b"1_note.txt", b"x", 0))
