"""Mutations that know nothing of the format: bits, bytes, numbers at the edge, cuts, splices, repetitions."""

from __future__ import annotations

from random import Random

EDGES = (0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF)
LONGEST = 256 * 1024


def flip(rng: Random, data: bytearray, _other: bytes) -> None:
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def put_byte(rng: Random, data: bytearray, _other: bytes) -> None:
    for _ in range(rng.choice((1, 1, 2, 5))):
        data[rng.randrange(len(data))] = rng.choice((0, 0xFF, 0x20, 0x0A, rng.randrange(256)))


def put_number(rng: Random, data: bytearray, _other: bytes) -> None:
    width = rng.choice((1, 2, 4, 8))
    value = rng.choice((*EDGES, len(data), len(data) - 1, rng.randrange(1 << 32), (1 << 63) - 1, (1 << 64) - 1))
    at = rng.randrange(len(data))
    data[at : at + width] = (value & ((1 << 8 * width) - 1)).to_bytes(width, rng.choice(("little", "big")))


def truncate(rng: Random, data: bytearray, _other: bytes) -> None:
    del data[rng.randrange(len(data)) :]


def behead(rng: Random, data: bytearray, _other: bytes) -> None:
    del data[: rng.randrange(min(len(data), 200))]


def delete(rng: Random, data: bytearray, _other: bytes) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 2, 4, 16, 100))]


def repeat(rng: Random, data: bytearray, _other: bytes) -> None:
    at = rng.randrange(len(data))
    piece = data[at : at + rng.choice((1, 4, 22, 46, 300))]
    data[at:at] = piece * rng.choice((1, 1, 2, 50))


def insert(rng: Random, data: bytearray, _other: bytes) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.choice((1, 4, 40)))


def splice(rng: Random, data: bytearray, other: bytes) -> None:
    """Goes on as another file."""
    data[rng.randrange(len(data)) :] = other[rng.randrange(len(other)) :]


def exchange(rng: Random, data: bytearray, _other: bytes) -> None:
    width, size = rng.choice((2, 4, 30, 46)), len(data)
    a, b = rng.randrange(size), rng.randrange(size)
    data[a : a + width], data[b : b + width] = data[b : b + width], data[a : a + width]


MUTATIONS = (flip, flip, put_byte, put_number, put_number, truncate, behead, delete, repeat, insert, splice, exchange)


def mutate(rng: Random, data: bytes, other: bytes) -> bytes:
    """One to three mutations of `data`; `other` is what a splice goes on with. At most 256 kB."""
    mutant = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not mutant:
            break
        rng.choice(MUTATIONS)(rng, mutant, other)
    return bytes(mutant[:LONGEST])
