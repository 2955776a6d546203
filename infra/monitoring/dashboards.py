"""Reads Grafana's dashboards as check.sh needs them: refuses one that is malformed, and prints every expression as a recording rule.

JSON is YAML too, so promtool can judge the rules. Grafana's own variables stand in no rule: a range stands in for them.
"""

import json
import sys

RANGE = {"$__rate_interval": "5m", "$__range": "6h"}


def fail(path, what):
    sys.exit(f"{path}: {what}")


def check(path):
    with open(path, encoding="utf-8") as file:
        board = json.load(file)
    if not path.endswith(f"/{board['uid'].removeprefix('florin-')}-dashboard.json"):
        fail(path, f"its uid is {board['uid']}")
    panels = board["panels"]
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) != len(ids):
        fail(path, "two panels have one id")
    places = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        if place["x"] + place["w"] > 24 or cells & places:
            fail(path, f"{panel['title']} lies over another panel or beyond the edge")
        places |= cells
        if panel["type"] != "row" and not panel["targets"]:
            fail(path, f"{panel['title']} shows nothing")
    targets = [target for panel in panels for target in panel.get("targets", [])]
    return [target["expr"] for target in targets] + [note["expr"] for note in board["annotations"]["list"]]


def rule(number, expression):
    for name, value in RANGE.items():
        expression = expression.replace(name, value)
    return {"record": f"dashboard:expression:{number}", "expr": expression}


expressions = [expression for path in sys.argv[1:] for expression in check(path)]
rules = [rule(number, expression) for number, expression in enumerate(expressions)]
json.dump({"groups": [{"name": "dashboards", "rules": rules}]}, sys.stdout, indent=1)
