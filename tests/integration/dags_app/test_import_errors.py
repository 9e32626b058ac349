"""Decides whether every way in which a DAG file can fail is one clear import error, and harms nothing else."""

from __future__ import annotations

import pytest
from django.utils import timezone

from dags_app.models import Dag
from tests.integration.dags_app.conftest import Folder

BROKEN = {
    "syntax": ("def x(:\n", "SyntaxError"),
    "exception": ("def inner():\n    return {}['gone']\ninner()\n", "KeyError: 'gone'"),
    "sys_exit": ("import sys\nsys.exit(3)\n", "called sys.exit(3)"),
    "os_exit": ("import os\nos._exit(7)\n", "exit code 7"),
    "segfault": ("import ctypes\nctypes.string_at(0)\n", "signal SIGSEGV"),
    "killed": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "signal SIGKILL"),
    "interrupt": ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
    "recursion": ("def f(): f()\nf()\n", "RecursionError"),
    "dag_id": ("d = DAG('a b')\n", "'a b'"),
    "long_dag_id": ("d = DAG('x' * 251)\n", "250"),
    "cron": ("d = DAG('cron', schedule='61 * * * *')\n", "61 * * * *"),
    "same_task_id": ("with DAG('same'):\n    BaseOperator(task_id='t')\n    BaseOperator(task_id='t')\n", "'t'"),
    "trigger_rule": ("with DAG('rule'):\n    BaseOperator(task_id='t', trigger_rule='sometimes')\n", "sometimes"),
    "cycle": (
        "with DAG('circle'):\n    a, b, c = (BaseOperator(task_id=i) for i in 'abc')\n    a >> b >> c >> a\n",
        "a -> b -> c -> a",
    ),
}


@pytest.mark.parametrize(("text", "cause"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_an_import_error_with_its_cause_and_its_neighbour_is_fine_c04_d(folder: Folder, text, cause):
    folder.write("broken.py", text)
    folder.dag("fine.py", "fine")
    folder.parse()
    assert cause in folder.error("broken.py")
    assert str(folder.path / "broken.py") in folder.error("broken.py")
    assert list(Dag.objects.values_list("dag_id", flat=True)) == ["fine"]


@pytest.mark.parametrize(
    "text",
    [
        "a = DAG('two', description='a')\nb = DAG('two', description='b')\n",
        "with DAG('two', description='a') as d:\n    pass\nwith DAG('two', description='b') as d:\n    pass\n",
    ],
)
def test_of_a_dag_id_twice_in_one_file_the_later_one_counts_as_in_airflow_c04_d(folder: Folder, text: str):
    folder.write("two.py", text)
    folder.parse()
    assert folder.error("two.py") == ""
    assert Dag.objects.get(pk="two").description == "b"
    assert "'two' is defined twice in this file" in folder.file("two.py").warnings[0]


def test_a_param_whose_default_breaks_its_schema_is_refused_on_a_scheduled_dag_c04_d(folder: Folder):
    head = "from orchestrator.sdk.definitions.param import Param\n"
    folder.write("p.py", head + "d = DAG('p', schedule='@daily', params={'n': Param('x', type='integer')})\n")
    folder.parse()
    assert "'x' is not of type 'integer'" in folder.error("p.py")
    assert not Dag.objects.exists()


def test_the_traceback_begins_in_the_authors_file_c06_c(folder: Folder):
    folder.write("e.py", "def inner():\n    raise ValueError('here')\ninner()\n", head="# dag airflow\n")
    folder.parse()
    lines = folder.error("e.py").splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{folder.path}/e.py", line 4, in <module>'
    assert lines[-1] == "ValueError: here"


@pytest.mark.parametrize(
    "loop",
    [
        "while True:\n        pass",
        "while True:\n        try:\n            time.sleep(1)\n        except BaseException:\n            pass",
    ],
    ids=["polite", "swallows everything"],
)
def test_a_file_that_never_ends_gives_the_stack_at_the_timeout_and_delays_nobody_c06_e(folder: Folder, loop):
    folder.settings.timeout_seconds = 3.0  # long enough for a busy machine to import the others in
    folder.write("a_loop.py", f"import time\ndef stuck():\n    {loop}\nstuck()\n")
    for index in range(4):
        folder.dag(f"fine{index}.py", f"fine{index}")
    folder.parse()
    error = folder.error("a_loop.py")
    assert "did not finish importing within 3 s" in error
    assert "in stuck" in error
    assert Dag.objects.count() == 4


def test_a_file_that_leaves_threads_and_children_is_parsed_with_a_warning_c11_d(folder: Folder):
    folder.write(
        "left.py",
        "import subprocess, threading\nthreading.Thread(target=threading.Event().wait, name='mine').start()\n"
        "subprocess.Popen(['sleep', '1000'])\nd = DAG('left')\n",
    )
    folder.parse()
    assert folder.error("left.py") == ""
    assert "mine" in folder.file("left.py").warnings[0]
    assert Dag.objects.filter(dag_id="left").exists()


def test_output_and_log_records_go_to_the_log_of_the_file_up_to_a_limit(folder: Folder):
    folder.write(
        "sub/talk.py",
        "import logging, sys\nprint('on stdout')\nprint('on stderr', file=sys.stderr)\n"
        "logging.getLogger('mine').warning('a record')\nfor i in range(30000):\n    print('x' * 500)\nd = DAG('talk')\n",
    )
    days = {f"{timezone.now():%Y-%m-%d}"}
    folder.parse()
    days.add(f"{timezone.now():%Y-%m-%d}")
    (log,) = folder.settings.log_folder.glob("*/dags-folder/sub/talk.py.log")
    assert log.parents[2].name in days
    text = log.read_text()
    assert '"event": "on stdout", "logger": "stdout"' in text
    assert '"level": "error", "event": "on stderr"' in text
    assert '"level": "warning", "event": "a record", "logger": "mine"' in text
    assert len(text) < 14_000_000
    assert "left out" in text
    assert Dag.objects.filter(dag_id="talk").exists()


def test_one_bad_dag_leaves_the_other_dags_of_its_file_alone_c04_d(folder: Folder):
    folder.write("mixed.py", "a = DAG('good', schedule='@daily')\nb = DAG('bad', schedule='bad cron')\n")
    folder.parse()
    assert Dag.objects.filter(dag_id="good", is_stale=False, has_import_errors=True).exists()
    assert "'bad'" in folder.error("mixed.py")


def test_strange_texts_and_encodings_are_stored_c04_a(folder: Folder):
    folder.write("odd.py", "d = DAG('odd', description='a\\0b\\ud800c', tags=['t\\0'], doc_md='\\udfff')\n")
    (folder.path / "latin.py").write_bytes(b"# -*- coding: latin-1 -*- \xe4\nfrom airflow.sdk import DAG\nd = DAG('latin')\n")
    (folder.path / "broken_utf8.py").write_bytes(b"# dag airflow\nx = '\xff\xfe'\n")
    folder.parse()
    assert Dag.objects.get(pk="odd").description == "a\ufffdb?c"
    assert "ä" in Dag.objects.get(pk="latin").latest_version.code.source_code
    assert "SyntaxError" in folder.error("broken_utf8.py")


def test_a_file_that_kills_the_zygote_is_given_up_and_the_others_go_on_c11_d(folder: Folder):
    folder.write("murder.py", "import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(30)\n")
    folder.dag("fine.py", "fine")
    folder.parse()
    assert "ended while this file was parsed" in folder.error("murder.py")
    assert Dag.objects.filter(dag_id="fine").exists()


def test_user_code_sees_neither_the_database_nor_the_keys(folder: Folder, monkeypatch):
    folder.client.close()
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "secret")
    monkeypatch.setenv("MY_TEAM", "blue")
    folder.write("env.py", "import os, sys\nd = DAG('env', description=repr((sorted(os.environ), 'django' in sys.modules)))\n")
    folder.parse()
    seen = Dag.objects.get(pk="env").description
    assert "'MY_TEAM'" in seen
    assert seen.endswith("False)")
    for name in ("DATABASE_URL", "AIRFLOW__DATABASE", "FERNET", "JWT_SECRET", "DJANGO"):
        assert name not in seen
