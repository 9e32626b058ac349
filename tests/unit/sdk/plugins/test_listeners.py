"""Decides whether listeners are called in order, with what they name, and hinder nobody when they fail."""

from __future__ import annotations

from types import SimpleNamespace

from orchestrator.sdk.listeners import hooks
from orchestrator.sdk.listeners.of_task import tell_ended, tell_running

HEARD = "from airflow.listeners import hookimpl\nheard = []\n"
PLUGIN = "import sys\nclass P(AirflowPlugin):\n    name = 'p'\n    listeners = [sys.modules[__name__]]\n"


def heard():
    import sys

    return sys.modules["p"].heard


def test_a_module_of_a_plugin_hears_of_a_task(load):
    load(
        p=HEARD + "@hookimpl\ndef on_task_instance_running(previous_state, task_instance):\n"
        "    heard.append((previous_state, task_instance.task_id))\n" + PLUGIN
    )
    tell_running(SimpleNamespace(task_id="t"))
    assert heard() == [("queued", "t")]


def test_a_try_that_is_repeated_counts_as_failed_and_the_process_stops_afterwards(load):
    load(
        p=HEARD + "@hookimpl\ndef on_task_instance_failed(error):\n    heard.append(str(error))\n"
        "@hookimpl\ndef before_stopping(component):\n    heard.append('stopping')\n" + PLUGIN
    )
    tell_ended(SimpleNamespace(state="up_for_retry"), ValueError("no"))
    assert heard() == ["no", "stopping"]


def test_a_listener_that_fails_is_logged_and_the_next_one_is_called(load, caplog):
    load(
        p=HEARD + "class Bad:\n    @hookimpl\n    def on_dag_run_success(self, dag_run):\n        raise ValueError('bad')\n"
        "class Good:\n    @hookimpl\n    def on_dag_run_success(self, msg):\n        heard.append(msg)\n"
        "class P(AirflowPlugin):\n    name = 'p'\n    listeners = [Good(), Bad()]\n"
    )
    assert hooks.call("on_dag_run_success", dag_run=None, msg="success") == 2
    assert heard() == ["success"]
    assert "error calling listener" in caplog.text


def test_the_last_registered_is_called_first_and_marks_change_that(load):
    load(
        p=HEARD + "class A:\n    @hookimpl\n    def on_starting(self): heard.append('a')\n"
        "class B:\n    @hookimpl\n    def on_starting(self): heard.append('b')\n"
        "class C:\n    @hookimpl(trylast=True)\n    def on_starting(self): heard.append('c')\n"
        "class P(AirflowPlugin):\n    name = 'p'\n    listeners = [A(), B(), C()]\n"
    )
    hooks.call("on_starting", component=None)
    assert heard() == ["b", "a", "c"]


def test_the_marks_of_pluggy_are_understood(load):
    load(
        p="import pluggy\nheard = []\nhookimpl = pluggy.HookimplMarker('airflow')\n"
        "@hookimpl\ndef on_asset_changed(asset):\n    heard.append(asset)\n" + PLUGIN
    )
    hooks.call("on_asset_changed", asset="a")
    assert heard() == ["a"]


def test_a_function_without_the_mark_is_no_listener(load):
    loaded = load(p="def on_starting(component):\n    raise AssertionError\n" + PLUGIN)
    assert hooks.heard(loaded) == set()
    assert hooks.call("on_starting", component=None) == 0


def test_the_manager_of_airflow_is_there(load):
    load(p="class P(AirflowPlugin):\n    name = 'p'\n")
    from airflow.listeners.listener import get_listener_manager

    class Own:
        heard = []

        @hooks.hookimpl
        def on_starting(self, component):
            self.heard.append(component)

    assert not get_listener_manager().has_listeners
    get_listener_manager().add_listener(Own())
    get_listener_manager().hook.on_starting(component="c")
    assert Own.heard == ["c"]
