"""Signs or verifies one request with PyPI's http-message-signatures; JSON in on stdin, JSON out on stdout."""

import base64
import collections
import json
import sys

from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import MappingKeyResolver
from http_message_signatures.structures import PreparedSignature

TAG = "florin-internal-1"


class Request:
    def __init__(self, question):
        self.method = question["method"]
        self.url = question["url"]
        self.headers = dict(question["headers"])


def verify(question, request, body, keys):
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=keys)
    try:
        results = verifier.verify(
            request, expect_tag=TAG, expect_label=question["label"], require_components=question["covered"], body=body)
    except HTTPMessageSignaturesException as error:
        return {"accepted": False, "reason": str(error)}
    return {"accepted": len(results) == 1}


def sign(question, request, body, keys):
    signer = HTTPMessageSigner(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=keys)
    signer.content_digest_class.prepare(request.headers, body, use_existing_digest=False)
    # The library's sign() writes its parameters in an order of its own, and one that Florin doesn't take, alg.
    values = {**question, "tag": TAG}
    parameters = collections.OrderedDict((name, values[name]) for name in question["parameters"])
    base, node, _ = signer._build_signature_base(
        request,
        covered_component_ids=signer._parse_covered_component_ids(question["covered"]),
        signature_params=parameters)
    prepared = PreparedSignature(base.encode(), str(node), question["label"], algorithms.HMAC_SHA256.algorithm_id)
    key = keys.resolve_private_key(question["keyid"])
    signer.apply(request, prepared, algorithms.HMAC_SHA256(private_key=key).sign(prepared.signature_base))
    return {"accepted": True, "headers": [[name, value] for name, value in request.headers.items()]}


def main():
    question = json.load(sys.stdin)
    secret = base64.b64decode(question["secret"])
    keys = MappingKeyResolver(
        public_keys={question["keyid"]: secret}, private_keys={question["keyid"]: secret})
    body = None if question.get("body") is None else base64.b64decode(question["body"])
    action = {"verify": verify, "sign": sign}[question["action"]]
    json.dump(action(question, Request(question), body, keys), sys.stdout)


main()
