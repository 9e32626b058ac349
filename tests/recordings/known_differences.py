"""Decides which differences to the recorded Airflow are left on purpose, each with its reason.

A pattern is matched against the line that ``compare.py`` prints: ``DIFF <category> <where>: expected …, got …``. A pattern that
matches nothing any more fails the run too, so that the list never grows old.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Known(NamedTuple):
    """One kind of difference: the category of ``compare.py``, a pattern for the rest of its line, and why it stays.

    ``sometimes``: it shows at some hours only, so a run without it does not make the entry old.
    """

    category: str
    pattern: str
    reason: str
    sometimes: bool = False

    def explains(self, category: str, line: str) -> bool:
        """Return whether this is the difference that the line shows."""
        return category == self.category and re.search(self.pattern, line) is not None


_NO_PACKAGE = "An example of another provider, whose package is not installed."
_BY_THE_CLOCK = "Waits for a time of day an hour from now, which is past in the last hour of a day, and looks for a Monday."

KNOWN: list[Known] = [
    Known(
        "templating",
        r"\.types\.",
        "A class says where its code is: values for another interpreter are told apart by it. Names and imports by Airflow's paths are the same.",
    ),
    Known("dags", r"^example_analytics|^tag (analytics|common-sql):", _NO_PACKAGE),
    Known(
        "dags",
        r"\.class_ref\.module_path:",
        "The name of the module of a DAG file holds a hash of its path, which is another one here.",
    ),
    Known(
        "runs",
        r"^example_task_state_store_async\.",
        "Airflow lacks the asynchronous calls that its own example makes; here it succeeds.",
    ),
    Known("runs", r"^example_sensors\.", _BY_THE_CLOCK, sometimes=True),
    Known("sensors", r"^example_sensors\.", _BY_THE_CLOCK, sometimes=True),
    Known(
        "rest",
        r"^LIST /api/v2/dagTags|: expected (116, got 115|93, got 92)$|^LIST /api/v2/dags.dag_id_pattern=(%7E)? ids",
        _NO_PACKAGE,
    ),
    Known(
        "rest",
        r"/logs/\{try_number\}.* shape",
        "The recorded lines hold an event alone, as where a file is missing; ours hold the log.",
    ),
    Known("rest", r'"connection_id": "b1"', "Each action of a body sees what the ones before it did; Airflow's delete does not."),
    Known("rest", r'"action": "bogus"', "Where Airflow answers 500, this is 422."),
]
