"""drive.py SETTINGS: goes through the pages of a running identity as people do, in a Chromium without a window, first without script and
then with it, and prints what is wrong.

SETTINGS is a JSON file: `origin` of identity, `mails` (an address that gives the code that was mailed to ADDRESS, as MAILS/ADDRESS), the
`client` (`id`, `callback`, `home`), and a `person` with a second factor (`email`, `password` and the `code` that their authenticator shows).
forgetful-plain@example.com and forgetful-script@example.com have the same password."""

import contextlib
import base64
import hashlib
import http.server
import json
import os
import signal
import sys
import threading
import urllib.parse
import urllib.request

from chromium import Browser

# The whole run.
LIMIT = 300
VERIFIER = "v" * 43
PASSWORD = "four random words here"


class Client:
    """A relying party: its callback sends the browser on to its home, which has another origin."""

    def __init__(self, callback, home):
        self.callbacks = []
        client = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                address = urllib.parse.urlsplit(self.path)
                if address.path == urllib.parse.urlsplit(callback).path:
                    client.callbacks.append(dict(urllib.parse.parse_qsl(address.query)))
                    self.send_response(303)
                    self.send_header("Location", home)
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                # A browser that goes on before the page is through is no fault of the pages.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.wfile.write(b"<!doctype html><html lang=en><title>At home</title><h1>At home</h1>")

            def log_message(self, *_):
                pass

        for address in (callback, home):
            server = http.server.ThreadingHTTPServer(("127.0.0.1", urllib.parse.urlsplit(address).port), Handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()


class Journeys:
    def __init__(self, settings, page, client, name, language):
        self.settings = settings
        self.page = page
        self.client = client
        self.name = name
        self.language = language
        self.faults = []
        with open(os.path.join(os.path.dirname(__file__), "checks.js")) as file:
            self.checks = file.read()

    # What a person sees and does.

    def expect(self, holds, fault):
        if not holds:
            self.faults.append(f"{fault}, on {self.page.ask('document.title')} at {self.page.ask('location.href')}")

    def at(self, selector):
        """One of ours that has this in it, and nothing that is wrong with it."""
        self.expect(self.page.ask(f"!!document.querySelector({selector!r})"), f"{selector} is not there")
        self.faults += [f"{selector}: {fault}" for fault in self.page.ask(f"({self.checks})({self.language!r}, 24)")]
        self.faults += [f"{selector}: the console: {text}" for text in self.page.complaints() if "status of 4" not in text]

    def is_refused(self, selector):
        self.at(f"{selector}[aria-invalid=true]")

    def open(self, scope="openid email", state="s1", client=None):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        self.page.go(f"{self.settings['origin']}/oauth2/authorize?" + urllib.parse.urlencode({
            "response_type": "code", "client_id": client or self.settings["client"]["id"], "redirect_uri": self.settings["client"]["callback"],
            "scope": scope, "state": state, "code_challenge": challenge, "code_challenge_method": "S256"}))

    def enter_password(self, email, password):
        self.at("input[autocomplete=current-password]")
        self.page.type("#email", email)
        self.page.type("#password", password)
        self.page.click("button[type=submit]")

    def enter_code(self, code):
        self.page.type("#code", code)
        self.page.click("button[type=submit]")

    def arrives(self, state):
        """At the client's home, by way of its callback, with a code."""
        self.expect(self.page.ask("location.href") == self.settings["client"]["home"], "not at the client's home")
        last = self.client.callbacks[-1] if self.client.callbacks else {}
        self.expect(last.get("state") == state and last.get("code") and last.get("iss") == self.settings["origin"], f"{last}")

    def mailed_code(self, address):
        with urllib.request.urlopen(f"{self.settings['mails']}/{address}", timeout=30) as answer:
            return answer.read().decode()

    # The journeys.

    def newcomer(self):
        """Registers on the way to a client, enters the mailed code, signs in and allows what the client asks for."""
        address = f"new-{self.name}@example.com"
        self.open(state="newcomer")
        self.at("input[autocomplete=current-password]")
        self.page.click("a[href*='/register']")
        self.at("input[autocomplete=new-password]")
        self.page.type("#email", address)
        self.page.type("#password", "short")
        self.page.click("button[type=submit]")
        self.is_refused("#password")
        self.expect(self.page.ask("document.querySelector('#email').value") == address, "the address is lost")
        self.page.type("#password", PASSWORD)
        self.page.click("button[type=submit]")
        self.at("#code")
        code = self.mailed_code(address)
        self.enter_code(str((int(code) + 1) % 1_000_000).zfill(6))
        self.is_refused("#code")
        self.enter_code(code)
        self.at("a.button")
        self.page.click("a.button")
        self.enter_password(address, PASSWORD)
        self.at("button[value=allow]")
        self.page.click("button[value=allow]", times=2)
        self.arrives("newcomer")

    def again(self):
        """The same person comes back while signed in, and nothing is asked."""
        self.open(state="again")
        self.arrives("again")
        self.page.back()
        self.expect("404" not in self.page.ask("document.title"), "the way back is closed")

    def sign_out(self):
        self.page.go(f"{self.settings['origin']}/oauth2/logout")
        self.at("form[action*='/signout']")
        self.page.click("button[type=submit]")
        self.at("svg.state")
        self.open(state="out")
        self.at("input[autocomplete=current-password]")

    def recovery(self):
        """Replaces a password that was forgotten, and signs in with the new one."""
        address = f"forgetful-{self.name}@example.com"
        self.open(state="recovery")
        self.page.click("a[href*='/recovery']")
        self.at("#email")
        self.page.type("#email", address)
        self.page.click("button[type=submit]")
        self.at("#code")
        self.enter_code(self.mailed_code(address))
        self.at("input[autocomplete=new-password]")
        self.page.type("#password", PASSWORD)
        self.page.click("button[type=submit]")
        self.at("a.button")
        self.page.click("a.button")
        self.enter_password(address, self.settings["person"]["password"])
        self.is_refused("#password")
        self.enter_password(address, PASSWORD)
        self.at("button[value=allow]")
        self.page.click("button[value=allow]")
        self.arrives("recovery")

    def second_factor(self):
        """A password alone signs nobody in who has an authenticator app."""
        person = self.settings["person"]
        self.open(state="factor")
        self.enter_password(person["email"], person["password"])
        self.at("#code[autocomplete=one-time-code]")
        self.page.click(".links a")
        self.at("#code[autocomplete=off]")
        self.enter_code("none of them")
        self.is_refused("#code")
        self.page.click(".links a")
        code = person["code"]
        self.enter_code(str((int(code) + 1) % 1_000_000).zfill(6))
        self.is_refused("#code")
        self.enter_code(f"{code[:3]} {code[3:]}")
        if self.page.ask("!!document.querySelector('button[value=allow]')"):
            self.at("button[value=deny]")
            self.page.click("button[value=allow]")
        self.arrives("factor")

    def denied(self):
        """Who is asked for consent may say no."""
        self.open(state="denied", scope="openid email profile offline_access")
        self.at("button[value=deny]")
        self.page.click("button[value=deny]")
        self.expect(self.client.callbacks[-1].get("error") == "access_denied", f"{self.client.callbacks[-1]}")

    def unknown_client(self):
        self.open(client="nobody")
        self.at("svg.state.bad")
        self.expect(self.page.ask("document.querySelector('dd').textContent.length > 8"), "no reference")


def main():
    signal.alarm(LIMIT)
    with open(sys.argv[1]) as file:
        settings = json.load(file)
    client = Client(settings["client"]["callback"], settings["client"]["home"])
    with Browser() as browser:
        for name, scripts, language in (("plain", False, "en"), ("script", True, "de")):
            page = browser.page()
            page.scripts(scripts)
            page.languages(language)
            page.look(390, 844)
            journeys = Journeys(settings, page, client, name, language)
            try:
                journeys.unknown_client()
                journeys.newcomer()
                journeys.again()
                journeys.denied()
                journeys.sign_out()
                journeys.recovery()
                journeys.sign_out()
                if not scripts:
                    # A time step's code is good once.
                    journeys.second_factor()
            except Exception as error:
                journeys.faults.append(f"{type(error).__name__} {error}, at {page.ask('location.href')}: {page.ask('document.body.innerText')}")
            for fault in journeys.faults:
                print(f"{name}: {fault}")
    print("driven")


main()
