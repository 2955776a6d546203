"""Signs requests as Shared/RequestSigning demands (RFC 9421, RFC 9530), written from the document alone."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from urllib.parse import urlsplit

from requests.auth import AuthBase

LIFETIME_SECONDS = 20
# Those that are present are covered, in this order; the first two belong to a body.
BODY_FIELDS = ("content-digest", "content-type")
FIELDS = ("authorization", "idempotency-key", "traceparent", "x-request-id", "florin-deadline", "florin-client")


def outbound_key(path, callee):
    """The key id and secret with which a service calls another, out of its key file."""
    with open(path, encoding="utf-8") as file:
        keys = json.load(file)["outbound"]
    key = next(key for key in keys if key["callee"] == callee)
    return key["keyid"], base64.b64decode(key["secret"])


def base64_field(data):
    return ":" + base64.b64encode(data).decode() + ":"


def text(value):
    """A header's value as requests sends it."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


class Signature(AuthBase):
    """Adds token, if there is one, digest and signature to a request that is otherwise ready to be sent."""

    def __init__(self, key, token=None):
        self.keyid, self.secret = key
        self.token = token

    def __call__(self, request):
        if self.token:
            request.headers["Authorization"] = "Bearer " + self.token
        address = urlsplit(request.url)
        components = [
            ("@method", request.method),
            ("@authority", address.netloc.lower()),
            ("@path", address.path),
            ("@query", "?" + address.query),
        ]
        names = FIELDS
        if request.body:
            body = request.body.encode() if isinstance(request.body, str) else request.body
            request.headers["Content-Digest"] = "sha-256=" + base64_field(hashlib.sha256(body).digest())
            names = BODY_FIELDS + FIELDS
        present = {name.lower(): text(value).strip(" \t") for name, value in request.headers.items()}
        components += [(name, present[name]) for name in names if name in present]
        created = int(time.time())
        parameters = "({});created={};expires={};nonce=\"{}\";keyid=\"{}\";tag=\"florin-internal-1\"".format(
            " ".join(f'"{name}"' for name, _ in components),
            created,
            created + LIFETIME_SECONDS,
            secrets.token_hex(16),
            self.keyid,
        )
        lines = [f'"{name}": {value}' for name, value in components] + ['"@signature-params": ' + parameters]
        code = hmac.new(self.secret, "\n".join(lines).encode("latin-1"), hashlib.sha256).digest()
        request.headers["Signature-Input"] = "florin=" + parameters
        request.headers["Signature"] = "florin=" + base64_field(code)
        return request
