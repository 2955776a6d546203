"""What Schemathesis needs to get past identity's doors: a signature, a client's secret or a person's token, as the document says, and
requests that can succeed: people sign in by the service's own endpoints, and read their mails.

FLORIN_PARTY names a JSON file: whose keys to use, whose mails can be read where, which clients and accounts there are, and where to leave
the tally of answers. What uses something up gets an account of its own.
"""

import atexit
import base64
import collections
import hashlib
import hmac
import json
import os
import random
import secrets
import string
import time

import requests
import schemathesis
from requests.auth import AuthBase, HTTPBasicAuth

from signing import Signature, outbound_key

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
# How long a password must be without a second factor.
ALONE = 15
NEW_PASSWORD = "another long sentence"
# A sign-in counts as fresh for five minutes, as long as an access token is good.
FRESH_SECONDS = 200
DEADLINE_SECONDS = 10
TOTP_SECONDS = 30

with open(os.environ["FLORIN_PARTY"], encoding="utf-8") as file:
    PARTY = json.load(file)

GATEWAY, APP = (outbound_key(PARTY[name], "identity") for name in ("gateway", "app"))
# The same choices in every run.
dice = random.Random(0)
accounts = iter(PARTY["accounts"])
tally = collections.Counter()
# The query of each next page.
pages = []


@atexit.register
def write_tally():
    with open(PARTY["tally"], "w", encoding="utf-8") as file:
        json.dump(tally, file, sort_keys=True, indent=1)


class Bearer(AuthBase):
    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers["Authorization"] = "Bearer " + self.token
        return request


class Nobody(AuthBase):
    """Not even what the environment has for the host."""

    def __call__(self, request):
        return request


def network():
    """Attempts and mails are counted by network: each request comes from its own."""
    return f'ip="10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"'


def post(path, auth=None, **body):
    headers = {"Florin-Client": network()} if isinstance(auth, Signature) else {}
    return requests.post(PARTY["origin"] + path, auth=auth or Nobody(), headers=headers, timeout=20, **body)


class Person:
    """An account that somebody has signed in to."""

    def __init__(self):
        self.email = next(accounts)
        self.device = secrets.token_urlsafe(32)
        self.secret = None
        self.signed_in = 0
        self.tokens = {}

    def challenge(self):
        return {
            "client_id": PARTY["native"],
            "device_secret": self.device,
            "response_type": "code",
            "scope": "openid profile email offline_access wallet",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "username": self.email,
            "password": PARTY["password"],
        }

    def redemption(self):
        answer = post("/oauth2/authorize-challenge", data=self.challenge()).json()
        if self.secret:
            form = {"client_id": PARTY["native"], "device_secret": self.device, "auth_session": answer["auth_session"], "otp": self.otp()}
            answer = post("/oauth2/authorize-challenge", data=form).json()
        return {
            "grant_type": "authorization_code",
            "code": answer["authorization_code"],
            "code_verifier": VERIFIER,
            "client_id": PARTY["native"],
        }

    def sign_in(self):
        self.tokens = post("/oauth2/token", data=self.redemption()).json()
        self.signed_in = time.time()
        return self

    @property
    def token(self):
        if time.time() - self.signed_in > FRESH_SECONDS:
            self.sign_in()
        return self.tokens["access_token"]

    @property
    def auth(self):
        return Signature(APP, self.token)

    def enrol(self):
        self.secret = post("/v1/me/mfa/totp", self.auth).json()["secret"]
        self.used = 0
        return self

    def confirm(self):
        post("/v1/me/mfa/totp/confirm", self.auth, json={"code": self.otp()})
        # What changes a factor wants one that was entered just now.
        self.signed_in = 0
        return self

    def otp(self):
        """A code that was not used before: the one of now or, a step ahead of it, the next."""
        step = max(int(time.time()) // TOTP_SECONDS, self.used + 1)
        self.used = step
        key = base64.b32decode(self.secret + "=" * (-len(self.secret) % 8))
        digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
        place = digest[-1] & 15
        return f"{(int.from_bytes(digest[place:place + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


residents = []


def resident():
    """Who owns what is looked at. Wrong passwords close an account to the right one as well, so the next sign-in is another's."""
    if not residents or time.time() - residents[-1].signed_in > FRESH_SECONDS:
        residents.append(Person().sign_in())
    return residents[-1]


def mailed(path, body):
    """The handle of a flow that was begun, and the code that was mailed for it."""
    flow = post(path, Signature(GATEWAY), json=body).json()["flow"]
    return {"flow": flow, "code": requests.get(f"{PARTY['mails']}/{body['email']}", timeout=20).text}


def newcomer():
    return {"email": f"{secrets.token_hex(8)}@example.com", "password": NEW_PASSWORD}


def first(path, person):
    """The id of the first of what a person has."""
    return {"id": requests.get(PARTY["origin"] + path, auth=person.auth, timeout=20).json()["data"][0]["id"]}


def with_factor():
    return Person().enrol().confirm()


def own(path):
    def recipe():
        person = Person()
        return person.auth, None, first(path, person)

    return recipe


def as_person(make, body=None):
    def recipe():
        person = make()
        return person.auth, body and body(person), None

    return recipe


def as_machine(body):
    return lambda: (HTTPBasicAuth(*PARTY["machine"]), body(), None)


def as_fleet(body):
    return lambda: (Signature(GATEWAY), body(), None)


def authorization():
    """An authorization request of a relying party."""
    return {
        "client_id": "rp-1",
        "redirect_uri": PARTY["redirectURI"],
        "response_type": "code",
        "scope": "openid",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }


# By operation, how a request succeeds: as whom, with which body, and with which parameters.
RECIPES = {
    "GET /oauth2/authorize": lambda: (Nobody(), None, authorization()),
    "POST /oauth2/token": lambda: (Nobody(), Person().redemption(), None),
    "POST /oauth2/introspect": as_machine(lambda: {"token": resident().token}),
    "POST /oauth2/revoke": as_machine(lambda: {"token": Person().sign_in().tokens["refresh_token"]}),
    "POST /oauth2/authorize-challenge": lambda: (Nobody(), Person().challenge(), None),
    "POST /v1/users": as_fleet(newcomer),
    "POST /v1/users/verify-email": as_fleet(lambda: mailed("/v1/users", newcomer())),
    "POST /v1/recovery": as_fleet(lambda: {"email": next(accounts)}),
    "POST /v1/recovery/complete": as_fleet(
        lambda: dict(mailed("/v1/recovery", {"email": next(accounts)}), new_password=NEW_PASSWORD)
    ),
    "POST /v1/internal/users/resolve": as_person(Person, lambda _: {"email": resident().email}),
    "POST /v1/me/password": as_person(
        Person, lambda _: {"current_password": PARTY["password"], "new_password": NEW_PASSWORD}
    ),
    "POST /v1/me/mfa/totp/confirm": as_person(lambda: Person().enrol(), lambda person: {"code": person.otp()}),
    "DELETE /v1/me/mfa/totp": as_person(with_factor),
    "POST /v1/me/mfa/recovery-codes": as_person(with_factor),
    "DELETE /v1/me/sessions/{id}": own("/v1/me/sessions"),
    "PATCH /v1/me/devices/{id}": lambda: (resident().auth, None, first("/v1/me/devices", resident())),
    "DELETE /v1/me/devices/{id}": own("/v1/me/devices"),
}
# Whoever asks for this loses their account; and for one of these perhaps their session.
FATAL = "DELETE /v1/me"
ENDING = {"DELETE /v1/me/sessions/{id}", "DELETE /v1/me/devices/{id}"}


def auth_of(operation, route):
    """What the document asks for, at an operation's own door."""
    document = operation.schema.raw_schema
    security = operation.definition.raw.get("security", document["security"])
    kinds = {kind for alternative in security for kind in alternative}
    if "clientBasic" in kinds:
        return HTTPBasicAuth(*PARTY["machine"])
    if "bearer" in kinds:
        return Bearer(resident().token)
    if "accessToken" in kinds:
        return (Person() if route == FATAL else resident()).auth
    return Signature(GATEWAY) if kinds else Nobody()


def is_well_formed(case):
    return case.meta is None or case.meta.generation.mode.is_positive


def likely(name, value):
    """What the document says in words: mail can be sent to an address; a new password is long enough, of characters that people can type."""
    if not isinstance(value, str):
        return value
    if name == "email":
        return newcomer()["email"]
    if name in ("password", "new_password"):
        return "".join(dice.choice(string.ascii_letters) for _ in value).ljust(ALONE, "x")
    return value


def likely_headers(case):
    for name, value in list((case.headers or {}).items()):
        # Nearly every number is a time that has passed, which is 503.
        if name.lower() == "florin-deadline" and str(value).isdecimal():
            case.headers[name] = str(int((time.time() + DEADLINE_SECONDS) * 1000))


@schemathesis.hook
def before_call(context, case, kwargs):
    route = f"{case.method} {case.path}"
    kwargs["auth"] = auth_of(case.operation, route)
    likely_headers(case)
    if not is_well_formed(case):
        return
    if isinstance(case.query, dict) and "cursor" in case.query:
        query = {name: value for name, value in case.query.items() if name != "cursor"}
        case.query = dice.choice(pages) if pages else query
    if isinstance(case.body, dict):
        case.body = {name: likely(name, value) for name, value in case.body.items()}
    if route in RECIPES and dice.random() < 0.5:
        kwargs["auth"], body, parameters = RECIPES[route]()
        if body:
            case.body = body
        if parameters and "{" in case.path:
            case.path_parameters = parameters
        elif parameters:
            case.query = parameters


@schemathesis.hook
def after_call(context, case, response):
    route = f"{case.method} {case.path}"
    tally[f"{response.status_code} {route}"] += 1
    if route in ENDING and response.status_code == 204:
        residents.clear()
    if response.status_code == 200 and route == "GET /v1/internal/revocations" and response.json()["next_cursor"]:
        # Good for the same query only.
        pages.append(dict(case.query or {}, cursor=response.json()["next_cursor"]))
