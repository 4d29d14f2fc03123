"""Writes what there is in the seeded ledger as dictionaries, for schemathesis to draw from.

    dictionaries.py FOLDER

FOLDER holds demo.json and activity.json, as the command line gave them, and the dictionaries afterwards.
"""

import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
# The person whom tests/schemathesis/run adds, and nobody.
USERS = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"]


def read(name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def write(name, values):
    lines = [json.dumps(value) + "\n" for value in values]
    (folder / f"{name}.dict").write_text("".join(lines), encoding="utf-8")


demo = read("demo.json")
write("claimants", [each["claimant"] for each in demo["allocations"]] + ["identity:github:1", f"user:{USERS[0]}"])
write("events", [each["event"] for each in read("activity.json")][:20] + ["chat:message:1"])
write("users", USERS)
write("times", [demo["period_start"], demo["period_end"]])
