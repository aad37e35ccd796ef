"""Apply a preset to params.yaml, or print it as flags for `dvc exp run`.

A preset is a small file of what differs from the committed params.yaml, or from the preset that it
`extends`. Applying one starts from the committed file, so presets replace each other; `sample` is
the committed file itself.
"""

import argparse
import hashlib
import io
import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from colorize.base import command
from colorize.base.errors import UserError
from colorize.base.files import read_text, write_text
from colorize.base.parameters import from_yaml
from colorize.data import catalog, remote
from stages import check, common, parameters
from stages.inputs import PARAMS
from stages.parameters import Params

PRESETS = Path("presets")
MODELS = "models."  # whose entries a preset can do without: null


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=names(), metavar="NAME", help=" | ".join(names()))
    parser.add_argument(
        "--mirror", help="folder or URL with zips and catalog.yaml, or a catalog there"
    )
    parser.add_argument("--print", action="store_true", help="print -S flags, change nothing")
    arguments = parser.parse_args()

    deltas = read(arguments.name, arguments.mirror)
    committed = _committed()
    if arguments.print:
        print(shlex.join(flags(deltas, from_yaml(committed, str(PARAMS)))))
        return
    text = applied(committed, deltas) if deltas else committed
    params = checked(text, arguments.name)
    sources = parameters.sources(params.data)
    keep_edits(committed, text)
    write_text(PARAMS, text)
    check.write(sources)
    print(f"params.yaml is now the preset '{arguments.name}'")


def names() -> list[str]:
    return ["sample", *sorted(path.stem for path in PRESETS.glob("*.yaml"))]


def read(name: str, mirror: str | None) -> dict[str, Any]:
    """The changes a preset makes. One that changes `data` but names no datasets takes the mirror's.

    Raises UserError where a mirror is missing or not asked for.
    """
    deltas = load(name)
    data = deltas.get("data")
    if not isinstance(data, dict) or "datasets" in data:  # a wrong one is named later
        if mirror:
            raise UserError(f"--mirror: the preset '{name}' has datasets of its own")
        return deltas
    if not mirror:
        raise UserError(f"preset '{name}': needs --mirror PATH_OR_URL (make: MIRROR=PATH_OR_URL)")
    if Path(mirror).exists():
        mirror = str(Path(mirror).resolve())  # queued experiments run in another folder
    if remote.holds_secret(mirror):
        raise UserError(f"--mirror: {remote.SECRET}")
    folder = mirror.rstrip("/")
    if folder.endswith((".yaml", ".yml")):
        described, folder = folder, folder.rpartition("/")[0]
    else:
        described = f"{folder}/catalog.yaml"
    datasets = catalog.names(described)
    data.update({"datasets": datasets, "catalog": described, "mirror": folder})
    return deltas


def load(name: str, extended_by: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a preset changes in the committed params.yaml, with all that it extends."""
    if name == "sample":
        return CommentedMap()
    path = PRESETS / f"{name}.yaml"
    text = read_text(path)
    if not isinstance(from_yaml(text, str(path)), dict):
        raise UserError(f"{path}: expected sections of params.yaml, as it would change them")
    values = YAML().load(text)  # with its comments, for those of new models
    base = values.pop("extends", "sample")
    if base not in names() or base in (name, *extended_by):
        others = [each for each in names() if each not in (name, *extended_by)]
        raise UserError(f"{path}: extends: one of {', '.join(others)} is needed, found {base!r}")
    deltas = load(base, (name, *extended_by))
    _merge(deltas, values)
    return deltas


def checked(text: str, name: str) -> Params:
    """The parameters in `text`, to which the preset `name` has been applied."""
    return parameters.check(from_yaml(text, f"{PARAMS} with the preset '{name}'"))


def flags(deltas: dict[str, Any], values: dict[str, Any], where: str = "") -> list[str]:
    """The changes to `values` as arguments -S, key=value; Hydra wants ++ before a new key."""
    result = []
    for key, value in deltas.items():
        if isinstance(value, dict):
            result += flags(value, values.get(key, {}), f"{where}{key}.")
        elif value is None and where == MODELS:
            result += ["-S", f"~{where}{key}"] if key in values else []
        else:
            new = "" if key in values else "++"
            result += ["-S", f"{new}{where}{key}={_of_hydra(value)}"]
    return result


def _of_hydra(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_of_hydra, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}:{_of_hydra(of_key)}' for key, of_key in value.items())}}}"
    return json.dumps(value)  # strings in quotes: a dataset may be called 2024


def applied(text: str, deltas: dict[str, Any]) -> str:
    """params.yaml with the changes made, and all its comments."""
    yaml = YAML()
    yaml.width = 200
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(
        type(None), lambda yaml, _: yaml.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    values = yaml.load(text)
    _merge(values, deltas)
    for name in [name for name, entry in values["models"].items() if entry is None]:
        del values["models"][name]
    out = io.StringIO()
    yaml.dump(values, out)
    return out.getvalue()


def _merge(values: dict[str, Any], deltas: dict[str, Any]) -> None:
    for key, value in deltas.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value)
        elif isinstance(value, list) and not any(isinstance(item, dict) for item in value):
            values[key][:] = value  # in place: keeps the comment behind it
        elif key in values or isinstance(value, dict):
            values[key] = value
        else:  # not last: the last key has the empty line behind the entry
            values.insert(max(0, len(values) - 1), key, value)


def keep_edits(committed: str, text: str) -> None:
    """Set a copy of params.yaml aside before a preset replaces what somebody wrote by hand."""
    current = read_text(PARAMS) if PARAMS.exists() else committed
    if current in (committed, text):
        return
    kept = common.SCRATCH / f"params-{hashlib.sha256(current.encode()).hexdigest()[:8]}.yaml"
    write_text(kept, current)
    print(f"params.yaml differed from the committed one; it is kept as {kept}")


def _committed() -> str:
    shown = subprocess.run(
        ["git", "show", f"HEAD:./{PARAMS}"], capture_output=True, text=True, check=False
    )
    if shown.returncode:
        raise UserError(f"{PARAMS}: git has no committed version ({shown.stderr.strip()})")
    return shown.stdout


if __name__ == "__main__":
    command.run(main)
