#!/usr/bin/env bash
# find_browser.sh: print the path of a Chromium that starts, installing one where none is there; else say so and fail.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

installed() {
    local name path
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        # Some systems ship a stub under this name that only says where to get a browser: ask it to start.
        if path=$(command -v "$name") && "$path" --version >/dev/null 2>&1; then
            echo "$path"
            return
        fi
    done
    return 1
}

playwrights_own() {
    .venv/bin/python - <<'PYTHON'
from playwright.sync_api import sync_playwright

with sync_playwright() as p:
    p.chromium.launch(args=["--no-sandbox"]).close()
    print(p.chromium.executable_path)
PYTHON
}

if installed || playwrights_own 2>/dev/null; then
    exit 0
fi
if tests/apt_install.sh chromium && installed; then
    exit 0
fi
echo "installing Playwright's chromium" >&2
if .venv/bin/playwright install chromium >/dev/null && playwrights_own; then
    exit 0
fi
echo "no browser for the browser tests: install chromium or google-chrome, then run make test again" >&2
exit 1
