"""Where trained models are, and what their cards say of them."""

import re
from pathlib import Path

from colorize.base.errors import UserError
from colorize.methods.shared.folder import CONFIG

PRETRAINED = Path(__file__).parents[1] / "pretrained"  # they come with the project
TRAINED = Path("models")  # the pipeline's own, from where it runs
DEFAULT = PRETRAINED / "nogan_lab"  # the best of them


def find(name: str) -> Path:
    """The folder of a model: a path to it, or the name of one of ours or of one in models/.

    Raises UserError where there is none, or one in both.
    """
    if (Path(name) / CONFIG).is_file():
        return Path(name)
    folders = [root / name for root in (PRETRAINED, TRAINED) if (root / name / CONFIG).is_file()]
    if not folders:
        there = ", ".join(map(shown, (*_inside(PRETRAINED), *_inside(TRAINED))))
        raise UserError(f"{name}: no model (there are {there})")
    if len(folders) == 2:
        raise UserError(f"{name}: there are two; say {' or '.join(map(shown, folders))}")
    return folders[0]


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _inside(root: Path) -> list[Path]:
    return sorted(file.parent for file in root.glob(f"*/{CONFIG}"))


def pretrained() -> list[Path]:
    """Those that come with the project, the default first."""
    return sorted(_inside(PRETRAINED), key=lambda folder: folder != DEFAULT)


def trained() -> list[Path]:
    """Those of the pipeline."""
    return _inside(TRAINED)


def section(card: str, heading: str | None) -> str:
    """The text below a heading of a model's card, as one line; without one, that of its title."""
    start = "# [^\n]+" if heading is None else f"## {heading}"
    text = re.search(rf"^{start}\n(.+?)(?=^#|\Z)", card, re.MULTILINE | re.DOTALL)
    return " ".join(text[1].split("\n\nSHA-256")[0].split()) if text else ""
