"""HTML page in a browser: drawing, keys, and player."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from msg3d.skeletons import skeleton
from msg3d.visualization.page import page, write_page
from msg3d.visualization.scene import Scene, ScoresOverTime

LAYOUT = skeleton("coco")
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=3000",
]


def scene(channels=3, persons=2, frames=12, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(persons, frames, 17, channels))
    points[1:, 4, 9] = np.nan
    values = rng.random((4, 3))
    values[1] = np.nan
    scores = ScoresOverTime(np.array([1.5, 4.5, 7.5, 10.5]), values, ("a", "b", "<i>"))
    sizes = rng.random((persons, frames, 17))
    return Scene("two </script> & one", LAYOUT, points, sizes, scores, 20)


@pytest.fixture
def browse(tmp_path):
    """Return a function that runs the page and a script in a browser."""
    if BROWSER is None:
        pytest.skip("needs Chromium")

    def run(text, address="", script=""):
        path = tmp_path / "page.html"
        text = text.replace("</body>", f"<script>{script}</script></body>")
        write_page(path, text)
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        result = subprocess.run(
            [BROWSER, *FLAGS, profile, "--dump-dom", f"file://{path}{address}"],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "</html>" in result.stdout, result.stderr[-2000:]
        return result.stdout

    return run


def visible_elements(document, name):
    """Return the attributes of each visible element with this tag name."""
    elements = [
        dict(re.findall(r'([\w-]+)="([^"]*)"', attributes))
        for attributes in re.findall(rf"<{name}\b([^>]*)>", document)
    ]
    return [element for element in elements if element.get("visibility") != "hidden"]


def centers(circles):
    return np.array([[float(circle["cx"]), float(circle["cy"])] for circle in circles])


def frame_of(document):
    return re.search(r'<output id="frame">(\d+) / \d+</output>', document)[1]


def expected_centers(shown, frame, azimuth, elevation):
    """Compute circle centers of a frame with NumPy: [present joints, (x, y)], y down."""
    points = shown.points
    low, high = np.nanmin(points, (0, 1, 2)), np.nanmax(points, (0, 1, 2))
    middle = (low + high) / 2
    radius = np.nanmax(np.linalg.norm(points - middle, axis=-1))
    flat = Scene("", LAYOUT, (points - middle) / radius).view(azimuth, elevation)
    flat = flat[:, frame].reshape(-1, 2) * (1, -1)
    return flat[~np.isnan(flat).any(1)]


def test_page_loads_nothing():
    text = page(scene())
    addresses = set(re.findall(r"https?://[^\"' ]*", text))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a namespace, not fetched
    assert not re.search(r"\b(src|href|import|fetch|url)\b\s*[=(]", text)
    assert text.count("</script>") == 1


@pytest.mark.parametrize(
    ("channels", "view"), [(3, (30, 20)), (3, (0, 0)), (2, (0, 0))]
)
def test_drawing_matches_numpy(browse, channels, view):
    shown = scene(channels)
    document = browse(page(shown, *view), "#frame=4")
    assert frame_of(document) == "4"
    circles = visible_elements(document, "circle")
    expected = expected_centers(shown, 4, *view)
    assert len(expected) == 33  # 2 x 17 joints, of which one is missing
    np.testing.assert_allclose(centers(circles), expected, atol=3e-4)
    areas = np.array([float(circle["r"]) for circle in circles]) ** 2
    sizes = np.delete(shown.sizes[:, 4].ravel(), 17 + 9)
    assert np.corrcoef(areas, sizes)[0, 1] > 0.999
    # All bones except that of the missing wrist, and the cursor.
    assert len(visible_elements(document, "line")) == 2 * len(LAYOUT.inward) - 1 + 1
    assert "two &lt;/script&gt; &amp; one" in document


def test_scores_have_gaps_and_values_at_the_cursor(browse):
    shown = scene()
    document = browse(page(shown), "#frame=8")  # nearest to 7.5, the third window
    assert len(visible_elements(document, "polyline")) == 2 * 3  # each line has a gap
    for name, value in zip(
        ("a", "b", "&lt;i&gt;"), shown.scores.values[2], strict=True
    ):
        assert f"{name} {value:.2f}" in document
    assert "a -" in browse(page(shown), "#frame=4")


@pytest.mark.parametrize(("channels", "hidden"), [(2, "none none"), (3, "none inline")])
def test_unused_elements_are_hidden(browse, channels, hidden):
    """The chart is hidden without scores, and the hint about rotation in 2D."""
    shown = Scene("", LAYOUT, scene(channels).points)
    script = (
        "document.title = ['chart', 'turn'].map(name => "
        "getComputedStyle(document.getElementById(name)).display).join(' ');"
    )
    assert f"<title>{hidden}</title>" in browse(page(shown), script=script)


@pytest.mark.parametrize(
    ("keys", "frame"),
    [
        (["ArrowRight"] * 3, 3),
        (["ArrowRight", "ArrowRight", "ArrowLeft"], 1),
        (["ArrowLeft"], 0),
        (["End"], 11),
        (["End", "ArrowRight", "ArrowLeft"], 10),
        (["End", "Home"], 0),
    ],
)
def test_keys(browse, keys, frame):
    script = "".join(
        f"document.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}'}}));"
        for key in keys
    )
    assert frame_of(browse(page(scene()), script=script)) == str(frame)


def test_player(browse):
    """At 20 frames per second, 425 ms reach the ninth frame. Playback repeats."""
    go = "document.getElementById('play').click();"
    stop = f"setTimeout(() => {{ {go} }}, 425);"
    document = browse(page(scene()), script=go + stop)
    assert frame_of(document) == "8"
    assert ">Play<" in document
    document = browse(page(scene()), "#frame=9", script=go + stop)
    assert frame_of(document) == "5"
    slide = (
        "const s = document.getElementById('slider'); s.value = 7;"
        "s.dispatchEvent(new Event('input'));"
    )
    assert frame_of(browse(page(scene()), script=slide)) == "7"


def test_dragging_rotates_the_view(browse):
    """Dragging 60 pixels to the left moves the viewer 30 degrees to the right."""
    drag = (
        "const st = document.getElementById('stage'); st.setPointerCapture = () => {};"
        "const p = (n, x) => st.dispatchEvent("
        "new PointerEvent(n, {clientX: x, clientY: 9}));"
        "p('pointerdown', 90); p('pointermove', 30); p('pointerup', 30);"
        "p('pointermove', 400);"
    )
    shown = scene()
    circles = visible_elements(browse(page(shown), script=drag), "circle")
    expected = expected_centers(shown, 0, 30, 0)
    np.testing.assert_allclose(centers(circles), expected, atol=3e-4)
