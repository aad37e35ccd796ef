"""What a run shows in words: the answer to its question, and what the paper says beside it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from colorize.evaluation.metrics import COPY_BELOW, SAME_BELOW, failure
from colorize.evaluation.results import Interval, Result
from colorize.report.tables import Row, in_line, models, text

if TYPE_CHECKING:  # the report depends on no method's code
    from colorize.methods.shared.base import ModelParameters

HOLDS, FAILS, INCONCLUSIVE = "holds here", "does not hold here", "inconclusive here"

PALE_BELOW = 0.8  # chroma ratio: with less of the photographs' color pictures look faded
ENOUGH = 20  # groups of photographs: with fewer nothing is concluded

STORY = ("cyclegan", "stargan")  # methods that the question names, beside the baseline


class Claim(NamedTuple):
    says: str
    shown: str  # by this run, in numbers
    outcome: str


def in_order(parameters: Mapping[str, "ModelParameters"], baseline: str) -> list[str]:
    """Models as the question names them: the baseline, CycleGAN, StarGAN, then all others."""
    asked = [baseline, *named(parameters).values()]
    return list(dict.fromkeys([*asked, *parameters]))


def named(parameters: Mapping[str, "ModelParameters"]) -> dict[str, str]:
    """By method that the question names: the first model of it."""
    found: dict[str, str] = {}
    for name, p in parameters.items():
        if p.method in STORY:
            found.setdefault(p.method, name)
    return {method: found[method] for method in STORY if method in found}


def closest(rows: list[Row], supervision: str = "") -> Row | None:
    """The model of least CIEDE2000, of all or of one supervision.

    None that has failed: one that copies its input may well be the closest.
    """
    able = [
        (value, row.name, row)
        for row in models(rows)
        if not failure(row.result.headline)
        and supervision in ("", row.supervision)
        and (value := row.result.headline["ciede2000"].mean) is not None
    ]
    return min(able)[2] if able else None


def answer(rows: list[Row], parameters: Mapping[str, "ModelParameters"]) -> list[str]:
    """Two sentences: what is closest to the truth, and how those do that the question names."""
    best, unpaired = closest(rows), closest(rows, "unpaired")
    if best is None:
        return ["No model colors photographs: each copies its input, or makes the same of all."]
    first = f"{best.name} comes closest to the true photographs (CIEDE2000 {_close(best)})"
    gray = next((row for row in rows if row.name == "grayscale"), None)
    if gray is not None:
        less = best.result.headline["ciede2000"].mean < gray.result.headline["ciede2000"].mean
        first += f", {'closer' if less else 'but no closer'} than the gray input ({_close(gray)})"
    asked = [row for row in models(rows) if row.name in named(parameters).values()]
    others = " and ".join(
        f"{row.name} has {_close(row)}" for row in asked if row not in (best, unpaired)
    )
    second = others
    if unpaired is not None and unpaired != best:
        second = f"Without pairs, {unpaired.name} comes closest ({_close(unpaired)})"
        second += f"; {others}" if others else ""
    return [f"{first}.", *([f"{second}."] if second else [])]


def _close(row: Row) -> str:
    return text(row.result.headline["ciede2000"].mean, 1)


def claims(rows: list[Row], parameters: Mapping[str, "ModelParameters"]) -> list[Claim]:
    """Each claim about a method, checked on the first model of that method, where there is one.

    A limit is passed where the whole 95 % interval is on one side of it.
    """
    checks = {
        "zhang_l2": ("Trained with L2, a network gives gray.", _pale),
        "gan": ("A plain GAN makes the same of every photograph.", _same),
        "gan_bottleneck": ("The same, of a GAN that knows its input as a single vector.", _same),
        "cyclegan": ("CycleGAN colors satisfactorily, but blurred.", _blurred),
        "stargan": ("StarGAN gives back its input, both ways.", _copies),
    }
    checked = []
    for method, (says, check) in checks.items():
        for row in models(rows):
            if parameters[row.name].method == method:
                shown, outcome = check(row.result)
                checked.append(Claim(says, f"{row.name}: {shown}", outcome))
                break
    return checked


def _pale(result: Result) -> tuple[str, str]:
    metrics = result.headline
    shown = f"{in_line(metrics, 'chroma_ratio')} of the photographs' chroma"
    return shown, _below(metrics["chroma_ratio"], PALE_BELOW)


def _same(result: Result) -> tuple[str, str]:
    metrics = result.headline
    shown = f"the colors of two pictures differ by {in_line(metrics, 'diversity')}"
    return f"{shown} of what two photographs' do", _below(metrics["diversity"], SAME_BELOW)


def _blurred(result: Result) -> tuple[str, str]:
    metrics = result.headline
    way, edges = (in_line(metrics, metric) for metric in ("projection", "sharpness"))
    shown = f"it goes {way} of the way to the photograph, with {edges} of its sharpness"
    colors = _above(metrics["projection"], COPY_BELOW)
    return shown, _all(colors, _below(metrics["sharpness"], 1))


def _copies(result: Result) -> tuple[str, str]:
    ways = result.headline["projection"], result.to_gray[result.split].metrics["projection"]
    to_color, to_gray = (in_line({"projection": way}, "projection") for way in ways)
    shown = f"it goes {to_color} of the way from gray to color, {to_gray} from color to gray"
    return shown, _all(*(_below(way, COPY_BELOW) for way in ways))


def _below(value: Interval, limit: float) -> str:
    low, high = value.low, value.high
    if low is None or low <= limit <= high:
        return INCONCLUSIVE
    return HOLDS if high < limit else FAILS


def _above(value: Interval, limit: float) -> str:
    return {HOLDS: FAILS, FAILS: HOLDS, INCONCLUSIVE: INCONCLUSIVE}[_below(value, limit)]


def _all(*outcomes: str) -> str:
    if FAILS in outcomes:
        return FAILS
    return HOLDS if {*outcomes} == {HOLDS} else INCONCLUSIVE
