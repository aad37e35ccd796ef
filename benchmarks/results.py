"""What every benchmark leaves: JSON, in a file too where one is asked for, and a table."""

import json
from pathlib import Path
from typing import Any


def show(result: dict[str, Any], table: str, output: Path | None) -> None:
    text = json.dumps(result, indent=2)
    if output is not None:
        output.write_text(f"{text}\n", encoding="utf-8")
    print(text)
    print(table)
