"""Whether every route was asked often enough, and every event that the node acknowledged is in its log.

    check.py ADDRESS RECORD EVENTS_BEFORE CASES_A_ROUTE
"""

import json
import sys
import urllib.request

address, record_path, events_before, cases_wanted = sys.argv[1:]


def get(path):
    with urllib.request.urlopen(f"{address}/api/v1{path}") as answer:
        return json.load(answer)


def main():
    with open(record_path, encoding="utf-8") as file:
        record = json.load(file)
    paths = get("/openapi.json")["paths"].items()
    routes = {f"{method.upper()} {path}": route for path, item in paths for method, route in item.items()}
    cases = {name: record["cases"].get(name, 0) for name in routes}
    # A route that takes nothing is asked in one way only.
    varied = {name for name, route in routes.items() if route.get("parameters") or "requestBody" in route}
    few = {name: count for name, count in cases.items() if count < (int(cases_wanted) if name in varied else 1)}
    if few:
        sys.exit(f"expected at least {cases_wanted} cases of every route, got {few}")

    size = next(log["size"] for log in get("/node")["logs"] if log["log"] == "events")
    entries = [get(f"/logs/events/entries/{index}") for index in range(int(events_before), size)]
    added = [entry["id"] for entry in entries if entry["v"] == "meed/event/v1"]
    lost = set(record["events"]) - set(added)
    if lost or len(added) != record["stored"]:
        sys.exit(f"expected {record['stored']} events more, got {len(added)}; acknowledged and lost: {sorted(lost)}")
    least = min(cases[name] for name in varied)
    print(
        f"{sum(cases.values())} cases, at least {least} of each of {len(routes)} routes, "
        f"{len(record['done'])} of which did what was asked; {len(added)} events acknowledged, and there"
    )


main()
