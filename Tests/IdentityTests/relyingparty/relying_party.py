"""A relying party made of Authlib: does with the running provider what an application would, and checks what it gets by its own means.

Reads one JSON object from standard input: issuer, client_id, client_secret, code, verifier, redirect_uri, nonce, resource_id,
resource_secret. Exits 0 and prints what it did, or fails with the first thing that is not as the standards have it.
"""

import base64
import hashlib
import json
import os
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet


def check(condition, what):
    if not condition:
        sys.exit(f"failed: {what}")


def claims_of(token, keys, kind):
    decoded = jwt.decode(token, keys, algorithms=["ES256"])
    check(decoded.header["typ"] == kind, f"typ of {kind}")
    return decoded.claims


def check_id_token(token, keys, order, access_token, nonce):
    claims = claims_of(token, keys, "JWT")
    judged = CodeIDToken(
        claims,
        {"alg": "ES256"},
        {
            "iss": {"essential": True, "value": order["issuer"]},
            "aud": {"essential": True, "value": order["client_id"]},
            "nonce": {"value": nonce} if nonce else {},
        },
        {"access_token": access_token, "nonce": nonce, "client_id": order["client_id"]},
    )
    judged.validate(leeway=5)
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    check(claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode(), "at_hash")
    return claims


def main():
    order = json.load(sys.stdin)
    issuer = order["issuer"]
    metadata = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=20).json()
    check(metadata["issuer"] == issuer, "issuer of discovery")
    server = AuthorizationServerMetadata(requests.get(f"{issuer}/.well-known/oauth-authorization-server", timeout=20).json())
    for name in ["token_endpoint", "introspection_endpoint", "revocation_endpoint", "userinfo_endpoint", "jwks_uri"]:
        check(server[name].startswith(issuer), name)
    server.validate_response_types_supported()
    server.validate_grant_types_supported()
    server.validate_code_challenge_methods_supported()
    server.validate_token_endpoint_auth_methods_supported()
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=20).json())

    session = OAuth2Session(order["client_id"], order["client_secret"], redirect_uri=order["redirect_uri"], code_challenge_method="S256")
    token = session.fetch_token(
        metadata["token_endpoint"], grant_type="authorization_code", code=order["code"], code_verifier=order["verifier"]
    )
    first = check_id_token(token["id_token"], keys, order, token["access_token"], order["nonce"])
    access = claims_of(token["access_token"], keys, "at+jwt")
    for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "auth_time", "acr", "amr", "scope"]:
        check(name in access, f"RFC 9068: {name}")
    check(access["sub"] == first["sub"], "one sub")

    info = session.get(metadata["userinfo_endpoint"], timeout=20)
    check(info.status_code == 200 and info.json()["sub"] == first["sub"], "userinfo")
    check(info.json()["email_verified"] is True, "email_verified")

    refreshed = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    second = check_id_token(refreshed["id_token"], keys, order, refreshed["access_token"], None)
    check(second["auth_time"] == first["auth_time"] and second["sub"] == first["sub"], "auth_time at refresh")
    check(refreshed["refresh_token"] != token["refresh_token"], "rotation")

    resource = OAuth2Session(order["resource_id"], order["resource_secret"])
    seen = resource.introspect_token(metadata["introspection_endpoint"], token=refreshed["access_token"]).json()
    check(seen["active"] is True and seen["sub"] == first["sub"] and seen["client_id"] == order["client_id"], "introspection")
    check(resource.introspect_token(metadata["introspection_endpoint"], token="x").json() == {"active": False}, "inactive")
    machine = resource.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    check(claims_of(machine["access_token"], keys, "at+jwt")["sub"] == order["resource_id"], "client_credentials")

    check(session.revoke_token(metadata["revocation_endpoint"], token=refreshed["refresh_token"]).status_code == 200, "revocation")
    try:
        session.refresh_token(metadata["token_endpoint"], refresh_token=refreshed["refresh_token"])
        check(False, "a revoked token is refused")
    except Exception as error:
        check(getattr(error, "error", None) == "invalid_grant", f"invalid_grant: {error}")
    print("discovery, code, ID token, userinfo, refresh, introspection, client_credentials, revocation")


main()
