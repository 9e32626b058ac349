"""Decides whether plugins are found, loaded once, kept apart when they fail, and cost nothing where there are none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestrator.sdk.plugins import loading, places
from orchestrator.sdk.plugins.describing import describe
from orchestrator.sdk.plugins.links import links_of


def test_a_plugin_of_the_folder_is_loaded_with_its_source(load):
    loaded = load(one="class P(AirflowPlugin):\n    name = 'one'\n")
    assert [(plugin.name, plugin.source) for plugin in loaded.plugins] == [("one", "$PLUGINS_FOLDER/one.py")]
    assert loading.plugins() is loaded


def test_a_plugin_that_cannot_be_imported_is_named_and_leaves_the_others_alone(load):
    loaded = load(bad="raise RuntimeError('broken')\n", good="class P(AirflowPlugin):\n    name = 'good'\n")
    assert [plugin.name for plugin in loaded.plugins] == ["good"]
    [(source, text)] = loaded.errors.items()
    assert source.endswith("/bad.py") and text == "broken"


def test_a_plugin_that_ends_the_process_is_an_error_like_others(load):
    loaded = load(bad="raise SystemExit(3)\n")
    assert list(loaded.errors.values()) == ["3"]


def test_a_plugin_without_a_name_and_one_whose_on_load_fails_are_errors(load):
    loaded = load(
        nameless="class P(AirflowPlugin):\n    pass\n",
        sour="class P(AirflowPlugin):\n    name = 'sour'\n    @classmethod\n    def on_load(cls):\n        raise ValueError('no')\n",
    )
    assert loaded.plugins == []
    assert sorted(text for text in loaded.errors.values())[0].startswith("Your plugin needs a name.")
    assert loaded.errors["$PLUGINS_FOLDER/sour.py"] == "no"


def test_the_first_plugin_of_a_name_stays(load):
    loaded = load(a="class P(AirflowPlugin):\n    name = 'twin'\n", b="class Q(AirflowPlugin):\n    name = 'twin'\n")
    assert [plugin.source for plugin in loaded.plugins] == ["$PLUGINS_FOLDER/a.py"]
    assert loaded.errors == {"$PLUGINS_FOLDER/b.py": "Plugin 'twin' already registered, skipping"}


def test_an_ignore_file_leaves_plugins_out(load, tmp_path):
    (tmp_path / ".airflowignore").write_text("left_out.py\n")
    assert load(left_out="class P(AirflowPlugin):\n    name = 'x'\n").plugins == []


def test_macros_of_a_plugin_are_in_templates_and_can_be_imported(load):
    load(m="def twice(n):\n    return 2 * n\nclass P(AirflowPlugin):\n    name = 'maths'\n    macros = [twice]\n")
    from orchestrator.sdk.execution.macros import MacrosAccessor

    assert MacrosAccessor().maths.twice(4) == 8
    from airflow.macros.maths import twice

    assert twice(5) == 10


def test_mappers_and_windows_of_a_plugin_are_stored_by_their_path_however_a_dag_file_imports_them(load, tmp_path):
    text = """
from airflow.partition_mappers import PartitionMapper, Window
class Own(PartitionMapper):
    def to_downstream(self, key):
        return key
class OwnWindow(Window):
    def to_upstream(self, decoded):
        return [decoded]
class Broken(PartitionMapper):
    def __init__(self, key):
        super().__init__()
    def to_downstream(self, key):
        return key
class P(AirflowPlugin):
    name = "p"
    partition_mappers, windows = [Own, Broken], [OwnWindow]
"""
    assert not load(p_of_keys=text).errors
    import p_of_keys
    from airflow.sdk import Asset, ChainMapper, PartitionedAssetTimetable, RollupMapper

    package = tmp_path / "plugins_of"
    package.mkdir()
    (package / "p_of_keys.py").write_text((tmp_path / "p_of_keys.py").read_text())
    sys.path.insert(0, str(tmp_path))
    from plugins_of.p_of_keys import Own as SameOwn

    mappers = {
        Asset("a"): ChainMapper(p_of_keys.Own(max_downstream_keys=2), SameOwn()),
        Asset("b"): RollupMapper(upstream_mapper=p_of_keys.Own(), window=p_of_keys.OwnWindow()),
    }
    (_, chain), (_, rollup) = PartitionedAssetTimetable(Asset("a"), mappers).serialize()["partition_mapper_config"]
    own = {"type": "p_of_keys.Own", "max_downstream_keys": None, "facts": {"max_downstream_keys": None}}
    assert chain["mappers"] == [{**own, "max_downstream_keys": 2, "facts": {"max_downstream_keys": 2}}, own]
    window = {"type": "p_of_keys.OwnWindow", "max_downstream_keys": None, "facts": {"direction": "forward"}}
    assert (rollup["upstream_mapper"], rollup["window"]) == (own, window)
    with pytest.raises(ValueError, match=r"p_of_keys\.Broken cannot be stored and read back"):
        PartitionedAssetTimetable(Asset("a"), {}, p_of_keys.Broken("k")).serialize()


def test_links_of_plugins_replace_those_of_the_same_name_and_global_ones_are_everywhere(load):
    load(
        links="from airflow.sdk import BaseOperatorLink\n"
        "from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator\n"
        "class Mine(BaseOperatorLink):\n    name = 'Triggered DAG'\n    operators = [TriggerDagRunOperator]\n"
        "class Everywhere(BaseOperatorLink):\n    name = 'Wiki'\n"
        "class P(AirflowPlugin):\n    name = 'links'\n"
        "    operator_extra_links = [Mine()]\n    global_operator_extra_links = [Everywhere()]\n"
    )
    from orchestrator.sdk.operators.empty import EmptyOperator
    from orchestrator.sdk.operators.trigger_dagrun import TriggerDagRunOperator

    trigger = TriggerDagRunOperator(task_id="t", trigger_dag_id="d")
    assert [type(link).__name__ for link in links_of(trigger)] == ["Mine", "Everywhere"]
    assert [link.name for link in links_of(EmptyOperator(task_id="e"))] == ["Wiki"]


def test_a_description_names_classes_and_shows_no_arguments(load):
    loaded = load(
        p="class App: pass\nclass Guard: pass\n"
        "class P(AirflowPlugin):\n    name = 'p'\n"
        "    fastapi_apps = [{'app': App(), 'url_prefix': '/x', 'name': 'X'}]\n"
        "    fastapi_root_middlewares = [{'middleware': Guard, 'args': ['secret'], 'kwargs': {'k': 'secret'}, 'name': 'G'}]\n"
    )
    [plugin] = describe(loaded)["plugins"]
    assert plugin["fastapi_apps"] == [{"app": "p.App", "url_prefix": "/x", "name": "X"}]
    assert plugin["fastapi_root_middlewares"] == [{"name": "G", "middleware": "p.Guard"}]
    assert "secret" not in str(plugin)


def test_the_fingerprint_changes_with_a_plugin_and_is_empty_without_any(tmp_path):
    assert places.fingerprint(str(tmp_path), str(tmp_path / "config")) == ""
    (tmp_path / "p.py").write_text("x = 1\n")
    first = places.fingerprint(str(tmp_path), "")
    (tmp_path / "p.py").write_text("x = 22\n")
    assert first and places.fingerprint(str(tmp_path), "") != first


def test_a_process_without_plugins_does_not_read_package_metadata():
    code = (
        "import sys; from orchestrator.sdk.plugins.loading import plugins; plugins(); "
        "sys.exit('importlib.metadata' in sys.modules or 'orchestrator.sdk.plugins.registering' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_plugin_of_an_installed_package_is_found_by_its_entry_point(clean, tmp_path):
    info = tmp_path / "demo-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[airflow.plugins]\ndemo = demo_plugin:Demo\n")
    text = "from airflow.plugins_manager import AirflowPlugin\nclass Demo(AirflowPlugin):\n    name = 'demo'\n"
    (tmp_path / "demo_plugin.py").write_text(text)
    sys.path.insert(0, str(tmp_path))
    [plugin] = loading.plugins().plugins
    assert plugin.source.startswith("demo==1.2: EntryPoint(name='demo', value='demo_plugin:Demo'")
