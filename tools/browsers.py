"""Find the Chromium of this machine."""

import os
import shutil

HEADLESS_SHELL = "chromium-headless-shell"
"""Chromium without windows. The other commands start one that also draws its tabs and menus, though nobody sees them:
the journeys take 1.4 times as long."""
BROWSERS = (HEADLESS_SHELL, "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find_browser() -> str:
    """Return the path of the browser that DESK_CHROMIUM names, else of the first that is installed; "" if there is
    none."""
    return os.environ.get("DESK_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), "")
