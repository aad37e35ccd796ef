"""The report in a real browser: by mouse, by keyboard, on a phone, in the dark, on paper."""

from collections.abc import Iterator

import pandas as pd
import pytest

from tests import browser
from tests.conftest import MODELS
from tests.test_report import (
    BOTH_WAYS,
    MANY,
    parsed,
    render,
    results,
    rows_of,
    shown_of,
    validation_of,
)

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs requirements-test.txt"
)
pytestmark = browser.needs_chromium

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1300, "height": 900}


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    with browser.launched() as chromium:
        yield chromium


@pytest.fixture
def opened(chromium, pipeline) -> Iterator:
    """Opens the report as a file; nothing may be asked for beside it, or be said in the console."""
    address = pipeline.path("reports/report.html").as_uri()
    contexts, said, asked = [], [], []

    def open_page(size: dict[str, int] = DESK, **options):
        contexts.append(chromium.new_context(viewport=size, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert all(url == address or url.startswith("data:") for url in asked)


def column(page, label: str, number: int) -> list[str]:
    """Of the table with that label the first words of each line's cell, from top to bottom."""
    cells = page.locator(f"[aria-labelledby={label}] tbody tr > :nth-child({number})")
    return [text.split("\n")[0] for text in cells.all_inner_texts()]


def numbers(texts: list[str]) -> list[float]:
    return [float(text.replace("−", "-")) for text in texts if text != "–"]


def test_a_table_is_sorted_by_mouse_and_by_keyboard(opened):
    page = opened()
    before = column(page, "results", 1)
    heading = page.locator("[aria-labelledby=results] th", has_text="CIEDE2000")
    number = 3  # after the model and what it was trained on

    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    values = numbers(column(page, "results", number))
    assert values == sorted(values, reverse=True)
    assert len(set(values)) > 3

    page.keyboard.press("Enter")  # it still has the focus
    assert heading.get_attribute("aria-sort") == "ascending"
    assert numbers(column(page, "results", number)) == sorted(values)

    page.keyboard.press("Space")
    assert heading.get_attribute("aria-sort") == "none"
    assert column(page, "results", 1) == before

    model = page.locator("[aria-labelledby=results] th", has_text="model").first
    model.get_by_role("button").click()
    assert column(page, "results", 1) == sorted(before, reverse=True)


def test_two_versions_of_a_photograph_with_a_line_between_them(opened):
    page = opened()
    part = page.locator(".compare")
    photograph, left, right = part.locator("select").all()
    assert (left.input_value(), right.input_value()) == ("truth", "zhang_l2")

    def sources() -> list[str]:
        return [image.get_attribute("src") for image in part.locator("img").all()]

    def cell(version: str, number: int) -> str:
        of = f'.gallery img[data-version="{version}"][data-photograph="{number}"]'
        return page.locator(of).first.get_attribute("src")

    number = int(photograph.input_value())
    assert sources() == [cell("truth", number), cell("zhang_l2", number)]
    first = page.locator(".first img").nth(1)  # the same photograph
    assert first.get_attribute("src") == cell("truth", number)
    photograph.select_option("1")
    left.select_option("gray")
    right.select_option("stargan, lightness kept")
    assert sources() == [cell("gray", 1), cell("stargan, lightness kept", 1)]

    slider = part.get_by_role("slider")
    box = slider.bounding_box()
    slider.click(position={"x": 0.9 * box["width"], "y": box["height"] / 2})
    assert 85 <= int(slider.input_value()) <= 95
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert slider.input_value() == "3"
    # All but the left three hundredths is the right picture.
    shown = part.locator("img.after").evaluate("image => getComputedStyle(image).clipPath")
    assert shown == "inset(0px 0px 0px 3%)"


def test_a_picture_is_enlarged_by_a_click_or_a_key(opened):
    page = opened()
    small = page.locator(".gallery .picture").nth(3)
    width = small.bounding_box()["width"]
    dialog = page.locator("dialog")
    for show, hide in ((small.click, dialog.click), (lambda: small.press("Enter"), None)):
        assert not dialog.is_visible()
        show()
        large = dialog.locator("img")
        assert large.get_attribute("src") == small.locator("img").get_attribute("src")
        assert large.bounding_box()["width"] > 3 * width
        assert dialog.locator("p").inner_text().startswith("stargan, its RGB: ")
        hide() if hide else page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_columns_that_fewer_want_are_shown_on_request(opened):
    page = opened()
    table = page.locator("[aria-labelledby=results] table")
    assert table.locator("thead th:visible").count() == 2 + 6
    page.get_by_role("button", name="Show all columns").click()
    assert table.locator("thead th:visible").count() > 2 + 6 + 5
    page.get_by_role("button", name="Show fewer columns").click()
    assert table.locator("thead th:visible").count() == 2 + 6


def test_a_link_opens_what_is_folded(opened):
    page = opened()
    costs = page.locator("[aria-labelledby=costs]")
    assert not costs.is_visible()
    page.locator("nav").get_by_role("link", name="Costs").click()
    assert costs.is_visible()
    contents = page.locator("nav").bounding_box()
    assert 0 <= contents["y"] < 5  # it stays in sight
    assert page.locator("#costs").bounding_box()["y"] >= contents["y"] + contents["height"]


def test_heads_stay_in_sight(opened):
    page = opened({"width": 700, "height": 400})
    page.evaluate("""() => {
        const part = document.querySelector("[aria-labelledby=results]");
        part.scrollTop = part.scrollLeft = 150;
    }""")
    part = page.locator("[aria-labelledby=results]").bounding_box()
    name = page.locator("[aria-labelledby=results] tbody th").nth(5).bounding_box()
    head = page.locator("[aria-labelledby=results] thead th").nth(3).bounding_box()
    assert name["x"] == pytest.approx(part["x"], abs=1)
    assert head["y"] == pytest.approx(part["y"], abs=1)


def test_the_answer_and_pictures_are_on_the_first_screen(opened):
    for size in (PHONE, DESK):
        page = opened(size)
        for part in (".answer", ".first", "nav"):
            box = page.locator(part).bounding_box()
            assert box["y"] + box["height"] <= size["height"], part


@pytest.mark.parametrize(("count", "most"), [(5, 8000), (14, 12_000)])
def test_a_page_of_many_models_is_not_long(chromium, tmp_path, count, most):
    path = tmp_path / "report.html"
    path.write_text(page_of([*MODELS][:count]), encoding="utf-8")
    for size, limit in ((DESK, most), (PHONE, 25 * PHONE["height"])):
        page = chromium.new_page(viewport=size)
        page.goto(path.as_uri())
        height = page.evaluate("document.documentElement.scrollHeight")
        page.close()
        assert 2000 < height <= limit


def page_of(names: list[str]) -> str:
    """A report of these models, each with as many photographs as a grid has."""
    versions = ("gray", "truth", "own", "input_L", "to_gray")
    fixed, best, worst = shown_of(*versions)
    enough = {name: results(0.5, MANY) | BOTH_WAYS for name in names}
    enough |= {name: of | {"input_L": results(0.5, MANY)} for name, of in enough.items()}
    trivial = {name: results(0, MANY) for name in ("grayscale", "mean_color", "ground_truth")}
    return render(
        rows_of(enough, trivial),
        baseline="zhang_l2",
        parameters={name: parsed(name) for name in names},
        datasets=["one", "two"],
        pictures={name: [*[fixed] * 8, best, worst] for name in names},
        losses={name: pd.DataFrame({"step": [1], "images": [3], "loss": [0.5]}) for name in names},
        validation={name: validation_of("color") for name in names},
    )


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_is_wider_than_the_page(opened, size):
    page = opened(size)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    overflowing = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((element) =>
            !element.closest(".scroll, pre, nav") &&
            element.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML)"""
    )
    assert overflowing == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opened, scheme):
    page = opened(color_scheme=scheme)
    found = axe.Axe().run(page).response
    assert found["passes"]
    serious = [
        (violation["id"], violation["nodes"][0]["html"])
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_without_scripts_everything_but_the_comparison_is_there(opened):
    page = opened(java_script_enabled=False)
    assert not page.locator(".compare").is_visible()
    assert page.locator("[aria-labelledby=results] tbody tr").count() > 3
    assert page.locator("[aria-labelledby=pictures] img").count() > 8
    assert page.locator("[aria-labelledby=results] .more").first.is_visible()
