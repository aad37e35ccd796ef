"""The report in a real browser: by mouse, by keyboard, on a phone, in the dark, on paper."""

from collections.abc import Iterator

import pytest

from tests import browser

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs requirements-test.txt"
)
pytestmark = browser.needs_chromium

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1600, "height": 1000}


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
    before = column(page, "table-1", 1)
    heading = page.locator("[aria-labelledby=table-1] th", has_text="CIEDE2000")
    number = 3  # after the model and what it was trained on

    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    values = numbers(column(page, "table-1", number))
    assert values == sorted(values, reverse=True)
    assert len(set(values)) > 3

    page.keyboard.press("Enter")  # it still has the focus
    assert heading.get_attribute("aria-sort") == "ascending"
    assert numbers(column(page, "table-1", number)) == sorted(values)

    page.keyboard.press("Space")
    assert heading.get_attribute("aria-sort") == "none"
    assert column(page, "table-1", 1) == before

    model = page.locator("[aria-labelledby=table-1] th", has_text="model").first
    model.get_by_role("button").click()
    assert column(page, "table-1", 1) == sorted(before, reverse=True)


def test_two_versions_of_a_photograph_with_a_line_between_them(opened):
    page = opened()
    part = page.locator(".compare")
    photograph, left, right = part.locator("select").all()
    assert (left.input_value(), right.input_value()) == ("gray", "zhang_l2")

    def sources() -> list[str]:
        return [image.get_attribute("src") for image in part.locator("img").all()]

    def cell(version: str, number: int) -> str:
        of = f'#pictures-table img[data-version="{version}"][data-photograph="{number}"]'
        return page.locator(of).get_attribute("src")

    assert sources() == [cell("gray", 0), cell("zhang_l2", 0)]
    photograph.select_option("1")
    left.select_option("truth")
    right.select_option("stargan, lightness kept")
    assert sources() == [cell("truth", 1), cell("stargan, lightness kept", 1)]

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


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_is_wider_than_the_page(opened, size):
    page = opened(size)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    overflowing = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((element) =>
            !element.closest(".scroll, pre, thead") &&
            element.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML)"""
    )
    assert overflowing == []


def test_on_a_phone_every_line_is_a_card_with_its_means(opened):
    page = opened(PHONE)
    card = page.locator("[aria-labelledby=table-1] tbody tr").first
    assert card.bounding_box()["width"] <= PHONE["width"]
    scroll = page.locator("[aria-labelledby=table-1]")
    assert scroll.evaluate("part => part.scrollWidth <= part.clientWidth")
    label = card.locator("td").nth(1).evaluate("cell => getComputedStyle(cell, '::before').content")
    assert label == '"CIEDE2000"'
    assert card.locator("td").nth(1).is_visible()


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
    assert page.locator("[aria-labelledby=table-1] tbody tr").count() > 3
    assert page.locator("#pictures-table img").count() > 8
