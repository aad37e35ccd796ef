"""Which files of the project a stage's code consists of, found by reading its imports."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("colorize", "stages")

# Read at run time, not imported.
DATA = {
    "colorize/catalog.py": "colorize/catalog.yaml",
    "colorize/report.py": "colorize/report.html.jinja",
}


def files_of(*modules: str) -> set[str]:
    """Files of `modules` and of all that they import, as paths from the root.

    Packages' own __init__ files are left out: they hold nothing but a docstring, which
    test_packages_hold_no_code checks.
    """
    found, todo = set(), list(modules)
    while todo:
        path = ROOT / (todo.pop().replace(".", "/") + ".py")
        name = path.relative_to(ROOT).as_posix()
        if not path.is_file() or name in found:
            continue
        found.add(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                todo += [alias.name for alias in node.names if _ours(alias.name)]
            elif isinstance(node, ast.ImportFrom) and _ours(node.module or ""):
                # `from package import module` and `from module import name` look the same.
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found | {DATA[name] for name in found if name in DATA}


def _ours(module: str) -> bool:
    return module.split(".")[0] in PACKAGES
