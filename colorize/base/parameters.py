"""What every group of parameters shares: strict types, no unknown keys, errors with dotted keys."""

import re
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from ruamel.yaml import YAML, YAMLError

from colorize.base.errors import UserError, one_line
from colorize.base.files import read_json


def from_yaml(text: str, where: str) -> Any:
    """What a YAML text holds; YAML 1.2, so that 2e-4 is a number. Raises UserError."""
    try:
        # Not in C, where what is nested too deeply ends the process.
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as error:  # ValueError: a number of more than 4,300 digits
        raise UserError(f"{where}: not YAML: {one_line(error)}") from None
    except RecursionError:
        raise UserError(f"{where}: nested too deeply") from None


CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and newline

# Keys of parameters, catalogs and models by their names in earlier versions
RENAMED = {
    "contrasts": "comparisons",
    "judge_per": "discriminator_per",
    "licence": "license",
}


class Parameters(BaseModel):
    """Base of every group: immutable, strictly typed, finite, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _without_control_characters(cls, value: Any) -> Any:
        """No path has a NUL, and no terminal is to be told what to do."""
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and CONTROL.search(text):
                raise ValueError("it has control characters")
        return value

    @classmethod
    def parse(cls, values: Any, where: str, elsewhere: Mapping[str, str] | None = None) -> Self:
        """Validate `values`, the section of params.yaml whose dotted key is `where`.

        elsewhere: the sections of the keys that come from another. Raises UserError, one line that
        names every offending dotted key.
        """
        if not isinstance(values, dict):
            value = _short(values)
            raise UserError(
                f"{where or 'params.yaml'}: expected a section of keys and values, found {value}"
            )
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            described = [_describe(e, elsewhere or {}, where, cls) for e in error.errors()]
            raise UserError("; ".join(described)) from None

    @classmethod
    def read(cls, path: Path) -> Self:
        """The same of a JSON file. Raises UserError also where it is missing or broken."""
        return cls.parse(read_json(path), str(path))

    @classmethod
    def read_each(cls, path: Path) -> dict[str, Self]:
        """The same of a JSON file of named ones."""
        entries = read_json(path, dict).items()
        return {name: cls.parse(entry, f"{path}: {name}") for name, entry in entries}


def _describe(error: Any, elsewhere: Mapping[str, str], where: str, cls: type[BaseModel]) -> str:
    where = elsewhere.get(next(iter(error["loc"]), ""), where)
    key = ".".join(part for part in (where, *map(str, error["loc"])) if part)
    match error["type"]:
        case "extra_forbidden" if (old := str(error["loc"][-1])) in RENAMED:
            return f"{key}: this key is called {RENAMED[old]} now"
        case "extra_forbidden":
            return f"{key}: unknown key (known here: {', '.join(cls.model_fields)})"
        case "missing":
            return f"{key}: missing"
        case "secret":  # what was found is not shown
            return f"{key}: {error['msg']}"
        case _:
            message = error["msg"].removeprefix("Value error, ")
            return f"{key}: {message[:1].lower()}{message[1:]}, found {_short(error['input'])}"


def _short(value: Any) -> str:
    """Of a value that may be long, or hold itself, enough to recognize it."""
    return reprlib.repr(value)
