"""What the paper that this project grew from says, beside what a run shows of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from colorize.evaluation.metrics import COPY_BELOW, SAME_BELOW, failure
from colorize.evaluation.results import Interval, Result
from colorize.report.columns import COLUMNS
from colorize.report.tables import SUPERVISION, Row, in_line, models

if TYPE_CHECKING:  # the report depends on no method's code
    from colorize.methods.shared.base import ModelParameters

HOLDS, FAILS, INCONCLUSIVE = "holds here", "does not hold here", "inconclusive here"

PALE_BELOW = 0.8  # chroma ratio: with less of the photographs' color pictures look faded


class Claim(NamedTuple):
    says: str
    shown: str  # by this run, in numbers
    outcome: str


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


def best(rows: list[Row]) -> list[tuple[str, str]]:
    """Which model is ahead in what, with its number: of this set, not a test.

    None is whose pictures are no colorings: one that copies its input may well be the closest.
    """
    questions = (
        ("Closest to the true photographs", "ciede2000", {*SUPERVISION}),
        ("Closest of those trained without pairs", "ciede2000", {"unpaired"}),
        ("Most like photographs in how common each color is", "ab_histogram_js", {*SUPERVISION}),
    )
    ahead = []
    for words, metric, kinds in questions:
        ranked = sorted(
            (value, row.name, in_line(row.result.headline, metric))
            for row in rows
            if row.kind != "trivial"
            and not failure(row.result.headline)
            and row.supervision in kinds
            and (value := row.result.headline[metric].mean) is not None
        )
        if ranked:
            _, name, shown = ranked[0]
            ahead.append((words, f"{name}, {COLUMNS[metric].title} {shown}"))
    return ahead


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
