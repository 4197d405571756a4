"""The page in a real browser: bash tests/run.sh -m browser -n 0; needs requirements-browser.txt and chromium"""

import shutil
from collections.abc import Iterator

import pytest

from miga.paths import report_html
from report.page import PARTS, main
from tests.report.runs import blended_run, spotted_run

pytestmark = pytest.mark.browser
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
SCHEMES, WIDTHS = ("light", "dark"), (360, 1280)
# Contrast of each visible text with what is behind it, as WCAG 2.2 reckons it (1.4.3); those that fall short.
LOW_CONTRAST = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const found = channels(getComputedStyle(e).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    throw new Error("no background");
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let checked = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    if (element.closest("script,style")) continue;
    const style = getComputedStyle(element), svg = element.closest("svg");
    const front = luminance(channels(svg ? style.fill : style.color)), back = luminance(ground(element));
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    checked += 1;
    const text = walker.currentNode.textContent.trim().slice(0, 40);
    if (ratio < (large ? 3 : 4.5)) found.push(`${text}: ${ratio.toFixed(2)}`);
  }
  return [checked, found];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-browser.txt")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=path, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("run"))
        blended_run()
        spotted_run()
        main(["--run", "tiny"])
        return report_html("tiny").resolve().as_uri()


@pytest.fixture
def open_page(browser, address):
    """(scheme, width) -> the page in a fresh profile; afterwards nothing was complained of or fetched."""
    troubles, contexts = [], []

    def opened(scheme: str = "light", width: int = 1280, **options):
        contexts.append(browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: None if r.url == address or r.url.startswith("data:") else troubles.append(r.url))
        page.goto(address)
        page.wait_for_function(
            "document.querySelectorAll('[data-spec]').length == document.querySelectorAll('.vega svg').length"
        )
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not troubles


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_and_everything_can_be_read(open_page, scheme, width):
    page = open_page(scheme, width)
    for section, _ in PARTS:
        assert page.locator(f"section#{section.id} h2").is_visible()
    assert page.locator(".vega svg").count() >= 7
    for details in page.locator("details").all():
        details.evaluate("(element) => { element.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    checked, low = page.evaluate(LOW_CONTRAST)
    assert checked > 300 and not low


def test_charts_follow_the_scheme(open_page):
    page = open_page("light")
    colour = "getComputedStyle(document.querySelector('.vega svg text')).fill"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{colour} != '{light}'")
    page.wait_for_timeout(300)  # all charts are drawn anew
    assert not page.evaluate(LOW_CONTRAST)[1]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_cell_opens_its_clips_by_keyboard_alone(open_page, width):
    page = open_page(width=width)
    page.locator(".confusion button[tabindex='0']").focus()
    first = page.evaluate("document.activeElement.ariaLabel")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert "taken for" in page.evaluate("document.activeElement.ariaLabel")
    assert page.evaluate("document.activeElement.ariaLabel") != first
    assert page.locator(".confusion button[tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    dialog = page.locator("dialog")
    assert dialog.is_visible() and dialog.locator("h2").inner_text() == page.evaluate(
        "document.querySelector(\".confusion button[tabindex='0']\").ariaLabel"
    )
    strip = dialog.locator(".strip").first
    strip.wait_for()
    assert "frames" in strip.get_attribute("aria-label") and strip.bounding_box()["height"] > 50
    assert not page.evaluate(LOW_CONTRAST)[1]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert "taken for" in page.evaluate("document.activeElement.ariaLabel")


def test_whoever_wants_no_motion_sees_all_frames(open_page):
    page = open_page(reduced_motion="reduce")
    page.locator(".largest button").first.click()
    strip = page.locator("dialog .strip").first
    strip.wait_for()
    assert strip.evaluate("(element) => getComputedStyle(element).animationName") == "none"
    assert strip.bounding_box()["width"] > 100


def test_it_can_be_read_aloud(open_page):
    page = open_page()
    assert page.evaluate("[...document.querySelectorAll('h1,h2')][0].tagName") == "H1"
    assert page.evaluate("[...document.querySelectorAll('table')].every((t) => t.caption?.textContent.trim())")
    assert page.evaluate(
        "[...document.querySelectorAll('.vega')].every((e) => e.getAttribute('aria-label').length > 10)"
    )
    assert page.evaluate("[...document.querySelectorAll('button')].every((b) => b.ariaLabel || b.textContent)")
