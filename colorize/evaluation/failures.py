"""What a model is called whose pictures are no colorings: a fact about its metrics, in words."""

from collections.abc import Mapping

COPY_BELOW = 0.1  # projection: of the way from the gray input to the true photograph
SAME_BELOW = 0.1  # diversity: colors of two photographs differ by that share of what true ones do
TINTED_FROM = 0.1  # chroma ratio: below there is no color to speak of
SHOWN_BELOW = 0.5  # retrieval: share of the outputs that show what their input shows


def failure(metrics: Mapping[str, Mapping[str, float | None]]) -> str | None:
    """The words for it, to follow the model's name, or None; `metrics` of a split."""
    projection, diversity, retrieval, chroma = (
        metrics[name]["mean"] for name in ("projection", "diversity", "retrieval", "chroma_ratio")
    )
    if None in (projection, diversity, retrieval, chroma):
        return None  # photographs without color tell nothing
    if diversity < SAME_BELOW and retrieval < SHOWN_BELOW:
        return f"gives every photograph the same picture (diversity {diversity:.2f})"
    if projection < COPY_BELOW:
        if chroma < TINTED_FROM:
            colors = ""
        elif diversity < SAME_BELOW:
            colors = ", but for a tint or noise that is the same for all"
        else:
            colors = ", or gives it noise or another photograph's colors"
        return f"copies its input{colors} (projection {projection:.2f})"
    if diversity < SAME_BELOW:
        return f"gives every photograph the same colors (diversity {diversity:.2f})"
    return None
