"""A receiver of OTLP/HTTP that reads requests as PyPI's opentelemetry-proto says they are.

Prints the port that it listens on, one line. POST /v1/traces takes spans; GET /received tells what was taken, as read back from the
parsed messages, and what was refused. Ends with the process that started it.
"""

import base64
import http.server
import json
import os
import re
import threading
import time

from google.protobuf.json_format import MessageToDict, Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ID_DIGITS = {"traceId": 32, "spanId": 16, "parentSpanId": 16}
received = {"resources": [], "spans": [], "errors": [], "contentTypes": []}


def with_bytes(value):
    """OTLP writes ids in hexadecimal where protobuf's JSON has base64; nothing else differs in what we send."""
    if isinstance(value, list):
        return [with_bytes(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {}
    for name, item in value.items():
        if name in ID_DIGITS:
            if not re.fullmatch("[0-9a-f]{%d}" % ID_DIGITS[name], item):
                raise ValueError(f"{name} is {item!r}")
            result[name] = base64.b64encode(bytes.fromhex(item)).decode()
        else:
            result[name] = with_bytes(item)
    return result


def attributes(items):
    return {item.key: MessageToDict(item.value) for item in items}


def described(span):
    return {
        "trace": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "flags": span.flags,
        "name": span.name,
        "kind": type(span).SpanKind.Name(span.kind),
        "start": str(span.start_time_unix_nano),
        "end": str(span.end_time_unix_nano),
        "attributes": attributes(span.attributes),
        "droppedLinks": span.dropped_links_count,
        "events": [{"name": event.name, "time": str(event.time_unix_nano), "attributes": attributes(event.attributes)} for event in span.events],
        "links": [{"trace": link.trace_id.hex(), "id": link.span_id.hex()} for link in span.links],
        "status": span.status.StatusCode.Name(span.status.code),
        "message": span.status.message,
    }


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            if self.path != "/v1/traces":
                raise ValueError(f"posted to {self.path}")
            # Unknown members are an error, as is everything else that the schema does not say.
            request = Parse(json.dumps(with_bytes(json.loads(body))), ExportTraceServiceRequest(), ignore_unknown_fields=False)
        except Exception as error:
            received["errors"].append(f"{type(error).__name__}: {error}")
            return self.answer(400, {"message": str(error)})
        received["contentTypes"].append(self.headers["Content-Type"])
        for resource_spans in request.resource_spans:
            received["resources"].append(attributes(resource_spans.resource.attributes))
            for scope_spans in resource_spans.scope_spans:
                received["spans"] += [described(span) for span in scope_spans.spans]
        self.answer(200, {})

    def do_GET(self):
        self.answer(200, received)

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def end_with(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
