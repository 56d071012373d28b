"""The page in headless Chromium, where that is installed."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

# The page runs no scripts, so it is looked at from outside, through a frame as wide as a phone.
FRAME = """<!DOCTYPE html><iframe srcdoc="{page}" style="width:{width}px;height:800px;border:0"></iframe><pre></pre>
<script>
addEventListener("load", () => {{
  const frame = document.querySelector("iframe").contentWindow;
  const root = frame.document.documentElement;
  document.querySelector("pre").textContent = JSON.stringify({{
    width: root.clientWidth,
    scrollWidth: root.scrollWidth,
    requests: frame.performance.getEntriesByType("resource").map((entry) => entry.name),
    background: frame.getComputedStyle(frame.document.body).backgroundColor,
    heading: frame.document.querySelector("h1").textContent,
  }});
}});
</script>"""


def look(page: str, folder: Path, width: int, *options: str) -> tuple[dict[str, Any], str]:
    """What the browser says of a page, and the errors that it logs."""
    assert CHROMIUM is not None
    file = folder / "frame.html"
    file.write_text(FRAME.format(page=html.escape(page), width=width), encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", *options]
    command += [f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = re.search(r"<pre>(.*)</pre>", done.stdout)
    assert found is not None
    report: dict[str, Any] = json.loads(html.unescape(found[1]))
    return report, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def opened(page: str) -> str:
    """The page with everything unfolded."""
    return page.replace("<details>", '<details open="">')


@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_fits_its_window_without_errors_or_requests(full_page: str, tmp_path: Path, width: int) -> None:
    report, errors = look(opened(full_page), tmp_path, width)
    assert report["heading"] == "linear"
    assert report["width"] >= width - 20  # less a scroll bar
    assert report["scrollWidth"] <= report["width"]
    assert report["requests"] == []
    assert errors == ""


def test_the_page_follows_the_theme(full_page: str, tmp_path: Path) -> None:
    dark, light = (
        look(full_page, tmp_path, 360, f"--blink-settings=preferredColorScheme={scheme}")[0]["background"]
        for scheme in (0, 1)
    )
    assert (dark, light) == ("rgb(21, 23, 26)", "rgb(252, 251, 248)")


def test_the_look_sees_what_it_looks_for(tmp_path: Path) -> None:
    bad = '<h1>x</h1><p style="width:999px">wide</p><img src="http://127.0.0.1:9/a.png"><script>undefined.x</script>'
    report, errors = look(bad, tmp_path, 360)
    assert report["scrollWidth"] > report["width"]
    assert report["requests"] == ["http://127.0.0.1:9/a.png"]
    assert "TypeError" in errors
