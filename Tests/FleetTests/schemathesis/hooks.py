"""What Schemathesis needs to get past a service's door: signatures, a token, and values that exist.

FLORIN_PARTY names a JSON file: which service is asked, whose key file and token to use, ids to begin with, and where to leave the tally
of answers. In the well-formed parts of a request what looks like an id becomes one of the same kind that exists, and every answer adds
the ids that it shows. A route is named only where the document has a rule in words, which no schema can say.
"""

import atexit
import collections
import json
import os
import random
import re
import time

import schemathesis
from schemathesis.core.parameters import ParameterLocation

from signing import Signature, outbound_key

IDENTIFIER = re.compile(r"[a-z]{3}_[0-7][0-9a-hjkmnp-tv-z]{25}")
TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:")
DEADLINE_SECONDS = 10
LARGEST_AMOUNT = 200
# Newer ones replace older ones, so that what was closed or used up does not stay for ever.
VALUES_PER_KIND = 64

with open(os.environ["FLORIN_PARTY"], encoding="utf-8") as file:
    PARTY = json.load(file)

AUTH = Signature(outbound_key(PARTY["keys"], PARTY["service"]), PARTY["token"])
# The same choices in every run.
dice = random.Random(0)
# Ids by their prefix: from the start, and out of answers.
given = collections.defaultdict(list)
known = collections.defaultdict(lambda: collections.deque(maxlen=VALUES_PER_KIND))
# By route, the path's parameters and the query of a next page.
pages = collections.defaultdict(lambda: collections.deque(maxlen=VALUES_PER_KIND))
# How often each operation was answered with which status.
tally = collections.Counter()


@atexit.register
def write_tally():
    with open(PARTY["tally"], "w", encoding="utf-8") as file:
        json.dump(tally, file, sort_keys=True, indent=1)


def learn(kind, value):
    if value not in known[kind]:
        known[kind].append(value)


for identifier in PARTY["ids"]:
    given[identifier[:3]].append(identifier)


def often():
    """Three times of four."""
    return dice.random() < 0.75


def one_of(kind):
    """One of those given at the start, whose wallets have money, or one that was seen since."""
    sources = [values for values in (given[kind], known[kind]) if values]
    return dice.choice(dice.choice(sources))


def unique():
    return format(time.time_ns(), "x")


def likely(name, value):
    """A value that says the same and gets further: an id that exists, the wallets' currency, an amount that they have, a new name."""
    # JSON Schema calls 2.0 an integer; the document says in words that money is not written so.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if name == "amount" and type(value) is int:
        return value % LARGEST_AMOUNT + 1 if often() else value
    if not isinstance(value, str) or not often():
        return value
    if IDENTIFIER.fullmatch(value) and (given[value[:3]] or known[value[:3]]):
        return one_of(value[:3])
    return {"currency": PARTY["currency"], "reference": unique()}.get(name, value)


def made_likely(value, name=None):
    if isinstance(value, dict):
        return {name: made_likely(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return [made_likely(member) for member in value]
    return likely(name, value)


def past(name):
    """A time whose answers are final, and `from` before `to`."""
    seconds = dice.randint(3600, 10**8) if name == "from" else dice.randint(20, 40)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))


def likely_query(query, case):
    """What the document says in words: times lie back, a cursor belongs to the query that gave it, some filters exclude each other."""
    query = {name: past(name) if TIME.match(str(value)) else value for name, value in query.items()}
    route = f"{case.method} {case.path}"
    if "cursor" in query:
        del query["cursor"]
        if pages[route]:
            case.path_parameters, page = dice.choice(pages[route])
            return page
    if route == "GET /v1/transfers":
        if "reference" in query:
            return {"reference": query["reference"]}
        query.setdefault("wallet_id", one_of("wal"))
    if route == "GET /v1/wallets" and PARTY["names_owner"]:
        query.setdefault("owner_id", one_of("usr"))
    return query


def likely_header(name, value):
    name = name.lower()
    # Otherwise all but the first request with the shortest key would be repeats.
    if name == "idempotency-key" and re.fullmatch("[!-~]{1,255}", str(value)) and often():
        return unique()
    # Nearly every number is a time that has passed, which is 503.
    if name == "florin-deadline" and re.fullmatch("[1-9][0-9]{0,15}", str(value)):
        return str(int((time.time() + DEADLINE_SECONDS) * 1000))
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    kwargs["auth"] = AUTH

    def is_well_formed(location):
        return case.meta is None or not case.meta.is_negative_at(location)

    if is_well_formed(ParameterLocation.PATH) and case.path_parameters:
        case.path_parameters = made_likely(case.path_parameters)
    if is_well_formed(ParameterLocation.QUERY) and isinstance(case.query, (dict, type(None))):
        case.query = likely_query(made_likely(case.query or {}), case)
    if is_well_formed(ParameterLocation.BODY) and isinstance(case.body, (dict, list)):
        case.body = made_likely(case.body)
    for name, value in list((case.headers or {}).items()):
        case.headers[name] = likely_header(name, value)


@schemathesis.hook
def after_call(context, case, response):
    tally[f"{response.status_code} {case.method} {case.path}"] += 1
    # The answers to HEAD and OPTIONS have no body.
    if response.status_code < 300 and response.text:
        for identifier in IDENTIFIER.findall(response.text):
            learn(identifier[:3], identifier)
        cursor = response.json().get("next_cursor")
        if cursor:
            pages[f"{case.method} {case.path}"].append((case.path_parameters, dict(case.query or {}, cursor=cursor)))
