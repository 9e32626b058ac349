"""Decides whether the process that parses and the one that runs tasks take the same DAG where a file has an id twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.sdk.execution.host.loading import load_dags
from orchestrator.sdk.parsing.collecting import collect
from orchestrator.sdk.parsing.protocol import ParseRequest, ParseResponse

HEAD = "from orchestrator.sdk import DAG\n"
FORMS = {
    "plain": "a = DAG('id_twice', description='one')\nb = DAG('id_twice', description='two')\n",
    "blocks": "with DAG('id_twice', description='one') as a: ...\nwith DAG('id_twice', description='two') as b: ...\n",
    "one_name": "with DAG('id_twice', description='one') as a: ...\nwith DAG('id_twice', description='two') as a: ...\n",
    "no_name": "with DAG('id_twice', description='one') as a: ...\nwith DAG('id_twice', description='two'): ...\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_the_later_one_counts_where_a_file_is_parsed_and_where_its_tasks_run_c04_d(tmp_path: Path, form: str) -> None:
    file = tmp_path / f"{form}.py"
    file.write_text(HEAD + FORMS[form])
    response = ParseResponse(id=1)
    collect(
        ParseRequest(id=1, path=str(file), relative_fileloc=file.name, bundle_path=str(tmp_path)), file.read_bytes(), response
    )
    assert [dag["description"] for dag in response.dags] == ["two"]
    assert (response.repeated, response.import_error) == (["id_twice"], "")
    assert load_dags(str(file))["id_twice"].description == "two"
