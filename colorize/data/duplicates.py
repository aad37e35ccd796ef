"""Finding near-duplicates: the same photograph encoded again, resized, mirrored or cropped a bit.

A photograph is seen as 64 x 64 levels of luma. Its fingerprint is a perceptual hash before it is
cut down to bits: the lowest frequencies of its discrete cosine transform, weighted by frequency,
since natural images fall off with its inverse and each should count alike, and scaled to length 1.
The similarity of two photographs is the cosine between their fingerprints. A mirrored photograph
has the signs of the odd horizontal frequencies turned. A crop moves all frequencies, so each
photograph has more fingerprints, of windows of itself, to compare with the whole of another.

Three steps, each for the pairs that the last one left: whole against whole for all pairs, as
products of matrices; whole against a few windows; and `similarity`, with more windows and higher
frequencies, which alone decides.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image

SIDE = 64  # pixels

# A planted copy reaches 0.88 in 99.8 % of cases, different photographs in 1 of a million pairs.
SAME = 0.88
MAYBE_WHOLE, MAYBE_WINDOW = 0.45, 0.83  # what the first two steps pass on: next to no copy is lost

# All pairs are looked at in tiles, and what is passed on in bunches: it all would not fit.
BLOCK, BUNCH = 512, 1024

Window = tuple[float, float, float, float]  # left, right, top, bottom, as shares of the side


def luma(image: Image.Image) -> np.ndarray:
    """(64, 64) uint8."""
    return np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))


class Transform:
    """Fingerprints of windows of a photograph, from `frequencies` squared of their cosines."""

    def __init__(self, windows: list[Window], frequencies: int):
        self.columns = np.stack([_cosines(w[0], w[1], frequencies) for w in windows])
        self.rows = np.stack([_cosines(w[2], w[3], frequencies) for w in windows])
        v, u = np.mgrid[:frequencies, :frequencies]
        self.weight = np.hypot(u, v)  # 0 for the mean: brightness does not count
        self.mirror = np.where(u % 2 == 1, -1, 1).ravel().astype(np.float32)

    def __call__(self, luma: np.ndarray) -> np.ndarray:
        """(64, 64) to (windows, frequencies ** 2), of length 1, or 0 where the window is flat."""
        frequencies = self.rows @ luma.astype(np.float32) @ self.columns.transpose(0, 2, 1)
        prints = (frequencies * self.weight).reshape(len(self.rows), -1)
        return prints / np.maximum(np.linalg.norm(prints, axis=1, keepdims=True), 1e-3)


def _cosines(low: float, high: float, count: int) -> np.ndarray:
    """(count, 64): integrals of cos(pi k t) over each pixel, t from 0 to 1 within the window."""
    edges = (np.clip(np.arange(SIDE + 1) / SIDE, low, high) - low) / (high - low)
    k = np.arange(1, count)[:, None]
    waves = (np.sin(np.pi * k * edges[1:]) - np.sin(np.pi * k * edges[:-1])) / (np.pi * k)
    return np.vstack([np.diff(edges) / np.sqrt(2), waves]).astype(np.float32)


def _windows(share: float, steps: int) -> list[Window]:
    """Windows of `share` of each side, at steps x steps places from corner to corner."""
    places = np.linspace(0, 1 - share, steps)
    return [(x, x + share, y, y + share) for x in places for y in places]


def _inside(window: Window) -> Window:
    """The window without its outer 15 % on each side."""
    left, right, top, bottom = window
    x, y = 0.15 * (right - left), 0.15 * (bottom - top)
    return (left + x, right - x, top + y, bottom - y)


_WHOLE = (0.0, 1.0, 0.0, 1.0)
_coarse = Transform([_WHOLE, (0.0375, 0.9625, 0.0375, 0.9625), *_windows(0.925, 2)], 8)
_FINE = [_WHOLE, (0.05, 0.95, 0.05, 0.95), *_windows(0.95, 3)]
_fine = Transform(_FINE, 16)
# White frames make different pictures alike: what is inside must be alike as well.
_inner = Transform([_inside(window) for window in _FINE], 8)


PRINTS = (len(_coarse.rows), _coarse.mirror.size)  # shape of what `fingerprints` gives
ONE = 127  # what 1 becomes in it: a cosine of two is exact to 0.005

# Their even horizontal frequencies come first, then the odd ones.
_ORDER = np.argsort(_coarse.mirror < 0, kind="stable")
_EVEN, _ODD = slice(0, 32), slice(32, 64)


def fingerprints(luma: np.ndarray) -> np.ndarray:
    """What `candidates` compares: (6, 64) int8, the whole and five windows."""
    return np.rint(_coarse(luma)[:, _ORDER] * ONE).astype(np.int8)


def tiles(count: int) -> Iterator[tuple[int, int]]:
    """First row and column of tiles that hold all pairs i < j of so many, i by rows."""
    for top in range(0, count, BLOCK):
        for left in range(top, count, BLOCK):
            yield top, left


def candidates(rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[int, int]]:
    """Of a tile, the pairs that may be near-duplicates: of fingerprints (m, 6, 64), (n, 6, 64)."""
    wholes = (prints[:, 0].astype(np.float32) for prints in (rows, columns))
    a, b = ((whole[:, _EVEN], whole[:, _ODD]) for whole in wholes)
    alike = _better(a[0] @ b[0].T, a[1] @ b[1].T)
    i, j = np.divmod(np.flatnonzero(alike > MAYBE_WHOLE * ONE**2), len(columns))
    for start in range(0, len(i), BUNCH):
        x, y = i[start : start + BUNCH], j[start : start + BUNCH]
        passed = _best(rows[x], columns[y]) > MAYBE_WINDOW * ONE**2
        yield from zip(x[passed].tolist(), y[passed].tolist(), strict=True)


def _better(even: np.ndarray, odd: np.ndarray) -> np.ndarray:
    """Of even + odd, as they are, and even - odd, with one of them mirrored; written over both."""
    np.abs(odd, out=odd)
    even += odd
    return even


def _best(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The best match of one's whole with a window of the other: (n,) of fingerprints (n, 6, 64)."""
    a, b = a.astype(np.float32), b.astype(np.float32)
    products = [
        _better(*(np.einsum("nf,nwf->nw", x[:, 0, part], y[..., part]) for part in (_EVEN, _ODD)))
        for x, y in ((a, b), (b, a))
    ]
    return np.maximum(*products).max(axis=1)


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """-1 to 1, of two lumas: the least of frame and inside, the most over windows and mirroring."""
    (fine_a, inner_a), (fine_b, inner_b) = ((_fine(x), _inner(x)) for x in (a, b))
    best = -1.0
    for turn_fine, turn_inner in ((1, 1), (_fine.mirror, _inner.mirror)):
        fine, inner = fine_b * turn_fine, inner_b * turn_inner
        best = max(
            best,
            np.minimum(fine @ fine_a[0], inner @ inner_a[0]).max(),
            np.minimum(fine_a @ fine[0], inner_a @ inner[0]).max(),
        )
    return float(best)
