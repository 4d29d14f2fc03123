"""A folder of which nothing was checked is no success."""

from __future__ import annotations

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import recompute


class Each(unittest.TestCase):
    """`recompute.py --each`."""

    def test_files_of_another_name_are_not_checked_in_silence(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "one.dossier").write_text("{}\n")
            said = io.StringIO()
            with contextlib.redirect_stderr(said):
                code = recompute.main(["recompute.py", "--each", folder])
        self.assertEqual(code, 1)
        self.assertIn("nothing was checked", said.getvalue())
        self.assertIn(".ndjson", said.getvalue())


if __name__ == "__main__":
    unittest.main()
