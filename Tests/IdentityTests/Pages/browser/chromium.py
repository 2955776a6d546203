"""A Chromium without a window, driven over a pipe by its DevTools protocol. Nothing but Debian's `chromium` is needed."""

import base64
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

# What a single command may take, on a machine that is busy with other tests.
LIMIT = 60


class BrowserError(Exception):
    pass


class Browser:
    """Lent by `with`: the process and its profile are gone afterwards."""

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="florin-chromium-")
        to_browser, self.writer = os.pipe()
        self.reader, from_browser = os.pipe()

        def connect():
            # Chromium reads commands from 3 and writes answers to 4; the copies keep one from overwriting the other.
            commands, answers = os.dup(to_browser), os.dup(from_browser)
            os.dup2(commands, 3)
            os.dup2(answers, 4)

        self.process = subprocess.Popen(
            [
                "chromium", "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--hide-scrollbars", "--no-first-run", "--disable-extensions", "--disable-background-networking", "--no-proxy-server",
                "--disable-component-update", "--force-color-profile=srgb", f"--user-data-dir={self.profile}", "about:blank",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=connect,
            start_new_session=True, env={**os.environ, "HOME": self.profile, "XDG_CONFIG_HOME": self.profile, "XDG_CACHE_HOME": self.profile})
        os.close(to_browser)
        os.close(from_browser)
        self.numbers = itertools.count(1)
        self.buffer = b""
        self.events = []
        return self

    def __exit__(self, *_):
        os.close(self.writer)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.reader)
        shutil.rmtree(self.profile, ignore_errors=True)

    def page(self):
        """A tab with cookies of its own."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        return Page(self, self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"], target)

    def send(self, method, session=None, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + LIMIT
        while True:
            answer = self.receive(deadline, method)
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error'].get('message')}")
                return answer["result"]
            self.events.append(answer)

    def receive(self, deadline, waiting_for):
        while b"\0" not in self.buffer:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self.reader], [], [], remaining)[0]:
                raise BrowserError(f"no answer within {LIMIT} s: {waiting_for}")
            read = os.read(self.reader, 1 << 20)
            if not read:
                raise BrowserError(f"Chromium has ended: {waiting_for}")
            self.buffer += read
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def wait(self, session, *names):
        """The first of these events, of those that have come or will come."""
        deadline = time.monotonic() + LIMIT
        while True:
            for event in self.events:
                if event.get("sessionId") == session and event.get("method") in names:
                    self.events.remove(event)
                    return event
            self.events.append(self.receive(deadline, names))


class Page:
    def __init__(self, browser, session, target):
        self.browser = browser
        self.session = session
        self.target = target
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility", "DOM"):
            self.send(f"{domain}.enable")

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)

    def look(self, width, height, dark=False, scale=1, mobile=False):
        """As a screen of this size shows it."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def scripts(self, enabled):
        self.send("Emulation.setScriptExecutionDisabled", value=not enabled)

    def languages(self, value):
        self.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": value})

    def go(self, url):
        """Opens an address and waits until it is there."""
        self.forget()
        failure = self.send("Page.navigate", url=url).get("errorText")
        if failure:
            raise BrowserError(f"{url}: {failure}")
        self.loaded()

    def loaded(self):
        self.browser.wait(self.session, "Page.loadEventFired")

    def back(self):
        """The browser's own button."""
        history = self.send("Page.getNavigationHistory")
        self.forget()
        self.send("Page.navigateToHistoryEntry", entryId=history["entries"][history["currentIndex"] - 1]["id"])
        self.loaded()

    def type(self, selector, text):
        """Replaces what stands in a field, as a keyboard does."""
        self.ask(f"{{ const field = document.querySelector({selector!r}); field.focus(); field.select(); }}")
        self.send("Input.insertText", text=text)

    def click(self, selector, times=1):
        """Presses what is there, as a mouse does, and waits for the page that it leads to."""
        x, y = self.ask(
            f"(() => {{ const node = document.querySelector({selector!r}); node.scrollIntoView({{block: 'center'}});"
            " const box = node.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()")
        self.forget()
        for count in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=count)
        self.loaded()

    def forget(self):
        self.browser.events = [event for event in self.browser.events if event.get("sessionId") != self.session]

    def ask(self, expression):
        """The value of an expression in the page, also of a promise."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression[:200]}: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        return answer["result"].get("value")

    def complaints(self):
        """What the console says, such as a refused style."""
        self.send("Runtime.evaluate", expression="0")
        return [
            event["params"]["entry"]["text"] for event in self.browser.events
            if event.get("sessionId") == self.session and event.get("method") == "Log.entryAdded"
        ]

    def picture(self, path):
        """The whole page, as far as it reaches below the screen."""
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
