"""Decides whether what is doubtful in a DAG is told, and taken back when it is mended."""

from __future__ import annotations

import re

from dags_app.models import DagWarning
from runs.models import Pool
from tests.integration.dags_app.conftest import Folder


def test_a_pool_that_does_not_exist_is_a_warning_until_it_does(folder: Folder):
    folder.write("d.py", "with DAG('d'):\n    BaseOperator(task_id='t', pool='gone')\n")
    folder.parse()
    [warning] = DagWarning.objects.all()
    assert (warning.warning_type, warning.message) == ("non-existent pool", "Dag 'd' references non-existent pools: ['gone']")
    Pool.objects.create(pool="gone", slots=1)
    folder.restart()
    folder.parse()
    assert not DagWarning.objects.exists()


def test_a_value_that_moves_at_each_parse_is_a_warning_with_its_field_c20_c(folder: Folder):
    file = folder.write(
        "d.py", "import random\nwith DAG('d'):\n    BaseOperator(task_id='t', retries=random.randint(0, 10**9))\n"
    )
    folder.parse()
    folder.file("d.py").bundle.files.update(reparse_requested_at="2026-01-01T00:00:00Z")
    folder.parse()
    [warning] = DagWarning.objects.all()
    assert warning.warning_type == "runtime varying value" and "`tasks[0].retries` moves" in warning.message
    file.write_text(file.read_text().replace("random.randint(0, 10**9)", "3"))
    folder.parse()
    assert not DagWarning.objects.exists()


def test_a_slow_import_is_named_with_its_line_c06_e(folder: Folder):
    folder.write("heavy.py", "import time\ntime.sleep(0.4)\n", head="")
    folder.write("d.py", "import heavy\nwith DAG('d'):\n    BaseOperator(task_id='t')\n")
    folder.parse()
    [text] = [line for line in folder.file("d.py").warnings if "slow to import" in line]
    assert re.search(r"line 3: `import heavy` takes \d+\.\d", text)


def test_a_file_that_runs_out_of_time_says_which_import_took_it_c06_e(folder: Folder):
    folder.settings.timeout_seconds = 3.0  # long enough for a busy machine to come to line 3
    folder.write("heavy.py", "import time\ntime.sleep(60)\n", head="")
    folder.write("d.py", "import heavy\nd = DAG('d')\n")
    folder.parse()
    assert re.search(r"Slow imports: line 3: `import heavy` takes \d+\.\d", folder.error("d.py"))
