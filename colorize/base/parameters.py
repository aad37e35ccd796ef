"""What every group of parameters shares: strict types, no unknown keys, errors with dotted keys."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from colorize.base.errors import UserError


class Parameters(BaseModel):
    """Base of every group: immutable, strictly typed, finite, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, values: Any, where: str) -> Self:
        """Validate `values`, the section of params.yaml whose dotted key is `where`.

        Raises UserError, one line that names every offending dotted key.
        """
        if not isinstance(values, dict):
            raise UserError(f"{where}: expected a section of keys and values, found {values!r}")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise UserError("; ".join(_describe(e, where, cls) for e in error.errors())) from None

    @classmethod
    def pick(cls, values: Any, where: str) -> Self:
        """Like `parse`, but pass over keys that belong to other groups in the same section."""
        if isinstance(values, dict):
            values = {key: value for key, value in values.items() if key in cls.model_fields}
        return cls.parse(values, where)


def _describe(error: Any, where: str, cls: type[BaseModel]) -> str:
    key = ".".join(part for part in (where, *map(str, error["loc"])) if part)
    match error["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key (known here: {', '.join(cls.model_fields)})"
        case "missing":
            return f"{key}: missing"
        case _:
            message = error["msg"].removeprefix("Value error, ")
            return f"{key}: {message[:1].lower()}{message[1:]}, found {error['input']!r}"
