"""Install the wheel where nothing else is, and color a folder with it: `make package`.

    python -m tests.installed [--with REQUIREMENT ...]

Prints what it took: seconds, and megabytes on the disk. Needs nothing but Python, on any system.
--with: what to install beside it, for example torch.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Run by the environment's own Python, in a folder outside the clone
DRAW = """
from PIL import Image
import os
os.makedirs("photographs/inside")
sky = Image.linear_gradient("L").resize((640, 480))
sky.save("photographs/a.jpg")
sky.rotate(180).save("photographs/inside/b.tif")
open("photographs/broken.png", "w").close()
"""
CHECK = """
from pathlib import Path
from PIL import Image
import colorize, numpy
assert Path(colorize.__file__).is_relative_to(Path("venv").resolve()), colorize.__file__
made = sorted(path.name for path in Path("colorized").rglob("*") if path.is_file())
assert made == ["a_colorized.png", "b_colorized.tif"], made
colored = numpy.array(Image.open("colorized/a_colorized.png"))
assert colored.shape == (480, 640, 3)
assert numpy.abs(colored[..., 0].astype(int) - colored[..., 2]).mean() > 1
again = colorize.Colorizer.load(device="cpu")(Image.open("photographs/a.jpg"))
assert (numpy.array(again) == colored).all()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--with", nargs="*", default=[], dest="beside", metavar="REQUIREMENT")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = built(folder)
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.0f} MB")
        run([sys.executable, "-m", "venv", "venv"], folder)
        programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        python = programs / "python"
        empty = size(folder / "venv")
        seconds = run([python, *PIP, "install", wheel, *arguments.beside], folder)
        installed = size(folder / "venv") - empty
        print(f"installed in {seconds:.0f} s: {installed / 1e6:.0f} MB")
        if not arguments.beside:
            assert installed < 250e6
        run([python, "-c", DRAW], folder)
        command = programs / "colorize"
        print(f"first photograph: {run([command, 'photographs/a.jpg'], folder):.1f} s")
        print(f"second: {run([command, 'photographs/a.jpg'], folder):.1f} s")
        run([command, "photographs"], folder, expect=2)  # one of them is broken
        run([python, "-c", CHECK], folder)


PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


def built(folder: Path) -> Path:
    """A wheel of what git's index has: what lies about in the clone is not to get into it."""
    source = folder / "source"
    run(["git", "checkout-index", "--all", f"--prefix={source}/"], ROOT)
    run([sys.executable, *PIP, "wheel", "--no-deps", "--wheel-dir", folder, source], folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def run(command: list[str | Path], folder: Path, expect: int = 0) -> float:
    """Run a command in a folder, without this project's; returns the seconds that it took."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    start = time.perf_counter()
    done = subprocess.run(list(map(str, command)), cwd=folder, env=kept, check=False)
    seconds = time.perf_counter() - start
    if done.returncode != expect:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}")
    return seconds


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
