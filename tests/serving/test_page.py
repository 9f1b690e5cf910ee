"""The page, in Chromium: what it shows is what the server answers."""

import re
import shlex
import shutil
import tempfile

import pytest

pytest.importorskip("fastapi", reason="albert_tf[serve] is not installed")
httpx = pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("uvicorn", reason="albert_tf[serve] is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.serving.clients import serving  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    "--disable-background-networking",
]
KINDS = [
    *("classifier", "multi-label", "regression", "token-classifier", "span-labeler"),
    *("multiple-choice", "embedding", "fill-mask"),
]


@pytest.fixture(scope="module")
def client(versions):
    with serving({kind: versions(kind) for kind in KINDS}) as client:
        yield client


@pytest.fixture(scope="module")
def browser(client):
    """A page of Chromium that fails the test where the page's program or network does."""
    with playwright.sync_playwright() as started, tempfile.TemporaryDirectory() as directory:
        context = started.chromium.launch_persistent_context(
            directory, executable_path=CHROMIUM, headless=True, args=FLAGS
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("console", lambda told: told.type == "error" and page.wrong.append(told.text))
        page.on(
            "request",
            lambda request: (
                page.wrong.append(request.url)
                if not (request.url.startswith((str(client.base_url), "data:")))
                else None
            ),
        )
        yield page
        context.close()


@pytest.fixture
def page(browser):
    browser.set_viewport_size({"width": 1100, "height": 800})
    yield browser
    assert browser.wrong == []


def open_model(page, client, name):
    page.goto(f"{client.base_url}/#{name}")
    page.reload()
    page.wait_for_selector("form button.main")


def asked(page, client, name, **fields):
    """Asks, and returns the predictions that the request which the page shows gets."""
    open_model(page, client, name)
    for field, text in fields.items():
        page.fill(f"#{field}", text)
    page.click("form button.main")
    page.wait_for_selector("#answer:not([hidden])")
    words = shlex.split(page.inner_text("#request pre").replace("\\\n", ""))
    assert words[:2] == ["curl", "-s"] and words[4:] == [
        "Content-Type: application/json",
        "-d",
        words[-1],
    ]
    response = httpx.post(words[2], content=words[-1].encode(), trust_env=False)
    assert response.status_code == 200
    assert words[2] in page.inner_text("#request pre >> nth=1")
    return response.json()["predictions"]


def bars(page):
    names, numbers = (
        page.locator(f"#answer {tag}").all_inner_texts() for tag in ("dt", "dd.number")
    )
    return [(name, float(number.rstrip(" %"))) for name, number in zip(names, numbers)]


def test_fill_masks(page, client):
    (answer,) = asked(page, client, "fill-mask", text='It\'s [MASK] of "the" [MASK].')
    shown = bars(page)
    assert len(shown) == 6
    tokens = [token.replace("▁", " ").strip() for tokens in answer["tokens"] for token in tokens]
    scores = [score for scores in answer["scores"] for score in scores]
    assert [name for name, _ in shown] == tokens
    assert [number for _, number in shown] == pytest.approx([100 * s for s in scores], abs=0.06)
    assert answer["sequences"][1][0] in page.inner_text("#answer")
    page.fill("#text", "no mask")
    page.click("form button.main")
    assert "needs a [MASK]" in page.inner_text("[role=alert]")
    page.fill("#text", "")
    page.click("text=Insert [MASK]")
    assert page.input_value("#text") == "[MASK]"


def test_compare_sentences(page, client):
    vectors = asked(page, client, "embedding", texts="one\n\n two words \nthree <b>")
    cells = [float(text) for text in page.locator("#answer td").all_inner_texts()]
    dots = [sum(x * y for x, y in zip(a, b)) for a in vectors for b in vectors]
    assert cells == pytest.approx(dots, abs=0.006)
    assert page.locator("tbody th").all_inner_texts() == ["1. one", "2. two words", "3. three <b>"]


@pytest.mark.parametrize("name", ["classifier", "multi-label"])
def test_classify(name, page, client):
    (answer,) = asked(page, client, name, text="a text\nof two lines")
    labels = ["no", "maybe", "yes"]
    best = sorted(zip(labels, answer["probabilities"]), key=lambda x: -x[1])
    assert [label for label, _ in bars(page)] == [label for label, _ in best]
    chosen = {label for label, is_one in zip(labels, answer.get("predictions", [])) if is_one}
    assert set(page.locator("#answer dt.first").all_inner_texts()) == (
        chosen if name == "multi-label" else {answer["label"]}
    )


def test_regression_and_choices(page, client):
    (score,) = asked(page, client, "regression", text="a text")
    assert page.inner_text("#answer") == f"{score:.4f}"
    (answer,) = asked(page, client, "multiple-choice", choices="here\nthere")
    assert (
        bars(page)[answer["choice"]][0] == answer["answer"] == page.inner_text("#answer dt.first")
    )


def test_answer_questions_and_tags(page, client):
    context = "😀 The text is here, in Zürich."
    (answer,) = asked(page, client, "span-labeler", question="Where is it?", context=context)
    assert page.inner_text("#answer mark") == answer["answer"]
    assert page.inner_text("#answer .passage") == context
    text = "😀 one two three"
    (answer,) = asked(page, client, "token-classifier", text=text)
    parts = [part.evaluate("e => e.firstChild.data") for part in page.locator("#answer mark").all()]
    tagged = [
        text[start:end]
        for start, end, tag in zip(answer["char_starts"], answer["char_ends"], answer["tags"])
        if tag != "O"
    ]
    assert " ".join(parts).split() == " ".join(tagged).split()


def test_keyboard_alone(page, client):
    open_model(page, client, "classifier")
    for _ in range(len(KINDS) + 1):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#answer dl")
    for _ in range(len(KINDS)):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("location.hash == '#classifier' || location.hash.length > 1")
    assert page.get_attribute("nav a:focus", "aria-current") == "page"


def test_errors_of_the_server(page, client):
    open_model(page, client, "fill-mask")
    page.fill("#text", "a " * 60 + "[MASK]")
    with page.expect_response(re.compile(":predict")) as response:
        page.click("form button.main")
    assert response.value.status == 400
    page.wait_for_selector("#answer [role=alert]")
    assert "within the first 32 tokens" in page.inner_text("[role=alert]")
    # The browser itself reports the status on its console.
    assert all("status of 400" in told for told in page.wrong)
    page.wrong.clear()


@pytest.mark.parametrize("name", KINDS)
def test_phone(name, page, client):
    page.set_viewport_size({"width": 340, "height": 700})
    backgrounds = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        asked(page, client, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 340
        backgrounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(backgrounds) == 2
