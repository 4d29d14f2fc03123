"""What schemathesis does not know by itself: lines of JSON, as the import takes them."""

import schemathesis

schemathesis.serializer.alias("application/x-ndjson", "text/plain")
