"""README.md and docs/: their links lead somewhere, and their commands work."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, files_of_the_project

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
PAGES += [*sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks/README.md"]
PAGES += sorted((ROOT / "colorize/pretrained").glob("*/README.md"))


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "`code`", text)):
        if not target.startswith(("http://", "https://")):
            yield target


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    headings = re.findall(r"(?m)^#+ (.*)$", text)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in links(page):
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        assert path.is_relative_to(ROOT), target
        if anchor:
            assert anchor in anchors(path), target


def test_every_page_is_in_the_table_of_contents():
    contents = ROOT / "docs/README.md"
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {contents.name}
    assert pages == set(links(contents))


def test_the_readme_is_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 180
    assert len(text.split()) <= 1500


def test_modules_that_pages_run_are_there():
    """Modules that are run."""
    listed = set(files_of_the_project())
    for page in PAGES:
        if page.name == "changes.md":  # which speaks of what there was
            continue
        for module in re.findall(
            r"python -m ([a-z_]+(?:\.[a-z_]+)*)", page.read_text(encoding="utf-8")
        ):
            if module.partition(".")[0] in ("colorize", "stages", "studies", "benchmarks"):
                path = module.replace(".", "/")
                assert {f"{path}.py", f"{path}/__main__.py"} & listed, f"{page}: {module}"
