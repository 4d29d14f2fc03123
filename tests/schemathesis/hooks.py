"""What schemathesis does not know by itself, and the record by which tests/schemathesis/check.py judges the node.

Where a case is to be accepted, an import takes lines of events in place of any text, and the end of a scope ends one
that the other cases can do without. Every case is counted, and every event that the node acknowledged is kept.
"""

import atexit
import itertools
import json
import os
import threading

import schemathesis

IMPORT = "POST /api/v1/scopes/{key}/events"
END = "POST /api/v1/scopes/{key}/end"
# Of so many imports one stays as schemathesis made it.
IMPORTS_KEPT = 4

schemathesis.serializer.alias("application/x-ndjson", "text/plain")

record = {"cases": {}, "done": {}, "stored": 0, "events": []}
numbers = itertools.count(1)
lock = threading.Lock()


def line(number):
    """An event of the epoch that is open, as a collector writes it."""
    time = os.environ["TEST_EVENT_TIME"]
    return json.dumps(
        {
            "id": f"chat:message:{number}",
            "source": "chat",
            "source_ref": "chat:1",
            "event_type": "message",
            "authors": [{"provider": "github", "id": str(number % 7 + 1)}],
            "metadata": {"title": f"Message {number}"},
            "payload_hash": f"{number:064x}",
            "producer": "test",
            "producer_version": "1",
            "event_time": time,
            "retrieved_at": time,
        }
    )


@schemathesis.hook
def before_call(context, case, kwargs):
    label = case.operation.label
    if label == END and case.path_parameters.get("key") == "default":
        case.path_parameters["key"] = "ending"
    if label == IMPORT and case.method == "POST" and case.meta is not None and case.meta.generation.mode.is_positive:
        number = next(numbers)
        if number % IMPORTS_KEPT:
            # The event of the case before comes along again: a duplicate must not be acknowledged as stored.
            case.body = "".join(line(each) + "\n" for each in (number, max(number - 1, 1)))


@schemathesis.hook
def after_call(context, case, response):
    label = case.operation.label
    if case.method != label.split(" ")[0]:
        return
    with lock:
        record["cases"][label] = record["cases"].get(label, 0) + 1
        if not 200 <= response.status_code < 300:
            return
        record["done"][label] = record["done"].get(label, 0) + 1
        if label == IMPORT:
            stored = response.json()["stored"]
            record["stored"] += stored
            if stored:
                record["events"] += [json.loads(each)["id"] for each in case.body.splitlines()]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    # Whatever is sent is text: with keep_good its bad lines are named in the answer, and refuse nothing. So a body of
    # another JSON type is no wrong body.
    is_text = case.operation.label == IMPORT and not isinstance(case.body, str)
    return not (is_text and type(failure).__name__ == "AcceptedNegativeData")


@atexit.register
def keep():
    with open(os.environ["TEST_RECORD"], "w", encoding="utf-8") as file:
        json.dump(record, file)
