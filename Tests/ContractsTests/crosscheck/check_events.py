"""check_events.py CONTRACTS QUESTION ANSWER: the AsyncAPI document and its schemas, judged by PyPI's jsonschema.

CONTRACTS is the folder with florin.json. QUESTION holds a JSON array of events, each as text; ANSWER receives
{"document": [faults], "events": [{"open": fault or null, "closed": fault or null}]}. An event is judged by the payload that the document
gives its type, as it stands (open) and with members forbidden that no schema describes (closed).
"""

import copy
import json
import pathlib
import sys

from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

META_SCHEMA = pathlib.Path(__file__).with_name("asyncapi-3.0.0.json")
CUSTOM_FORMAT = "application/schema+json;version=draft-2020-12"


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def fault(error):
    # Where and by which rule; the value would make a report unreadable.
    return f"/{'/'.join(map(str, error.absolute_path))} breaks {error.validator} at {'/'.join(map(str, error.absolute_schema_path))}"


def references(value):
    if isinstance(value, dict):
        for name, member in value.items():
            if name == "$ref":
                yield member
            elif name != "examples":
                yield from references(member)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def resolves(document, pointer):
    for name in pointer.split("/")[1:]:
        if not isinstance(document, dict) or name not in document:
            return False
        document = document[name]
    return True


def closed(schema):
    """A copy that forbids, in every object that it describes, members that it does not describe."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: closed(member) for name, member in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        result["additionalProperties"] = False
    return result


def check_document(document, schemas):
    faults = [f"florin.json: {fault(error)}" for error in Draft7Validator(read(META_SCHEMA)).iter_errors(document)]
    files = {f"./{name}" for name in schemas}
    for reference in references(document):
        if reference not in files and not (reference.startswith("#/") and resolves(document, reference[1:])):
            faults.append(f"florin.json: {reference} leads nowhere")
    definitions = {}
    for name, schema in schemas.items():
        faults += [f"{name}: {fault(error)}" for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema)]
        for reference in references(schema):
            if not (reference.startswith("#/$defs/") and resolves(schema, reference[1:])):
                faults.append(f"{name}: {reference} leads nowhere")
        for key, definition in schema.get("$defs", {}).items():
            if definitions.setdefault(key, definition) != definition:
                faults.append(f"{name}: {key} is defined otherwise elsewhere")
            if f"#/$defs/{key}" not in references(schema):
                faults.append(f"{name}: {key} is not used")
    return faults


def validators(document, schemas):
    resources = [(f"file:///{name}", DRAFT202012.create_resource(schema)) for name, schema in schemas.items()]
    registry = Registry().with_resources(resources)
    result = {}
    for type_name, message in document["components"]["messages"].items():
        payload = message["payload"]
        assert payload["schemaFormat"] == CUSTOM_FORMAT, type_name
        schema = copy.deepcopy(payload["schema"])
        schema["$id"] = "file:///florin.json"
        result[type_name] = Draft202012Validator(schema, registry=registry)
    return result


def verdict(validator, event):
    if validator is None:
        return "no message is named so"
    error = next(validator.iter_errors(event), None)
    return None if error is None else fault(error)


def main():
    contracts, question, answer = map(pathlib.Path, sys.argv[1:])
    document = read(contracts / "florin.json")
    paths = [contracts / "envelope.json", *sorted((contracts / "schemas").glob("*.json"))]
    schemas = {str(path.relative_to(contracts)): read(path) for path in paths}
    as_written = validators(document, schemas)
    without_more = validators(document, {name: closed(schema) for name, schema in schemas.items()})
    events = []
    for text in read(question):
        event = json.loads(text)
        type_name = event.get("type") if isinstance(event.get("type"), str) else None
        events.append({
            "open": verdict(as_written.get(type_name), event), "closed": verdict(without_more.get(type_name), event)})
    answer.write_text(json.dumps({"document": check_document(document, schemas), "events": events}), encoding="utf-8")


main()
