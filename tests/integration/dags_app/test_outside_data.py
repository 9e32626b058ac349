"""Decides whether a file that reads data from elsewhere is parsed again at its interval, and one that does not is left alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from dags_app.models import Dag
from dags_app.processor.files import OUTSIDE
from tests.integration.dags_app.conftest import Folder

READS = "import json\nd = DAG('d', description=json.load(open({path!r}))['text'])\n"


def test_data_outside_of_the_bundle_is_read_again_after_the_interval(folder: Folder, tmp_path: Path):
    data = tmp_path / "data.json"
    data.write_text('{"text": "one"}')
    folder.write("d.py", READS.format(path=str(data)))
    folder.dag("plain.py", "plain")
    folder.parse()
    assert OUTSIDE in folder.file("d.py").modules and OUTSIDE not in folder.file("plain.py").modules
    data.write_text('{"text": "two"}')
    assert folder.processor.look() == 0
    assert folder.processor.look(timezone.now() + timedelta(hours=1)) == 1
    folder.parse()
    assert Dag.objects.get(pk="d").description == "two"
