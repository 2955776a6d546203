"""visit.py ORIGIN AXE [GALLERY]: opens every page that ORIGIN/pages lists in a Chromium without a window, in both languages, as phone and
desktop show it, light and dark, and prints what is wrong with it. With a folder GALLERY it leaves a picture of each there."""

import os
import signal
import sys
import urllib.request

from chromium import Browser

# The whole run; a page takes a fraction of a second.
LIMIT = 480
LANGUAGES = {"en": "en-GB,en;q=0.9", "de": "de-AT,de;q=0.9,en;q=0.5"}
SCREENS = {"small": (320, 640), "phone": (390, 844), "desktop": (1280, 800)}
# WCAG 2.2 AA asks for 24.
SMALLEST_TARGET = 24
AXE = """axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], rules: {"target-size": {enabled: true}}})
    .then((r) => r.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).join(" ")}`))"""


def looks(name):
    for language in LANGUAGES:
        for screen in SCREENS:
            # Colours are the same on every screen that is no larger than a phone.
            for dark in (False, True) if screen != "small" else (False,):
                yield f"{name}-{language}-{screen}-{'dark' if dark else 'light'}", language, screen, dark


def main():
    signal.alarm(LIMIT)
    origin, axe = sys.argv[1:3]
    gallery = sys.argv[3] if len(sys.argv) > 3 else None
    names = urllib.request.urlopen(f"{origin}/pages", timeout=30).read().decode().split()
    with open(axe) as file:
        axe = file.read()
    with open(os.path.join(os.path.dirname(__file__), "checks.js")) as file:
        checks = file.read()
    visits = 0
    with Browser() as browser:
        page = browser.page()
        for name in names:
            for look, language, screen, dark in looks(name):
                page.languages(LANGUAGES[language])
                page.look(*SCREENS[screen], dark=dark)
                page.go(f"{origin}/pages/{name}")
                faults = page.ask(f"({checks})({language!r}, {SMALLEST_TARGET})")
                faults += [f"the console: {text}" for text in page.complaints()]
                if gallery and screen != "small":
                    page.picture(f"{gallery}/{look}.png")
                if screen == "phone":
                    page.ask(axe)
                    faults += page.ask(AXE)
                for fault in faults:
                    print(f"{look}: {fault}")
                visits += 1
    print(f"visited {visits}")


main()
