"""Which source wins, what is remembered, what is reported (C31)."""

from pathlib import Path

import pytest

from orchestrator.config import Configuration, ConfigurationError
from orchestrator.config.cfg_file import add_secrets, cfg_text, write_cfg
from orchestrator.config.options import OPTIONS
from orchestrator.config.sources import read_cfg


def configuration(home: Path, cfg: str = "", dotenv: str = "", **environ: str) -> Configuration:
    if cfg:
        (home / "airflow.cfg").write_text(cfg)
    if dotenv:
        (home / ".env").write_text(dotenv)
    return Configuration({"AIRFLOW_HOME": str(home)} | environ)


def test_every_default_is_a_valid_value(tmp_path: Path) -> None:
    conf = configuration(tmp_path)
    conf.validate()
    assert conf.get("core", "parallelism") == 32
    assert conf.source("core", "parallelism") == "default"


def test_the_environment_wins_over_the_file_and_the_file_over_dotenv(tmp_path: Path) -> None:
    cfg = "[core]\nparallelism = 5\nmax_active_runs_per_dag = 6\n"
    dotenv = "AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG=7\nAIRFLOW__CORE__DEFAULT_TASK_RETRIES=8\n"
    conf = configuration(tmp_path, cfg, dotenv, AIRFLOW__CORE__PARALLELISM="4")
    assert conf.get("core", "parallelism") == 4
    assert conf.source("core", "parallelism") == "environment variable AIRFLOW__CORE__PARALLELISM"
    assert conf.get("core", "max_active_runs_per_dag") == 6
    assert conf.get("core", "default_task_retries") == 8
    assert ".env" in conf.source("core", "default_task_retries")


def test_a_command_gives_a_value_by_environment_and_by_file(tmp_path: Path) -> None:
    conf = configuration(tmp_path, "[core]\nfernet_key_cmd = echo from-file\n", AIRFLOW__API__SECRET_KEY_CMD="printf 'a b'")
    assert conf.get("api", "secret_key") == "a b"
    assert conf.get("core", "fernet_key") == "from-file"
    assert conf.warnings() == []


def test_a_command_that_fails_says_which(tmp_path: Path) -> None:
    conf = configuration(tmp_path, AIRFLOW__CORE__FERNET_KEY_CMD="ls /does-not-exist")
    with pytest.raises(ConfigurationError, match=r"(?s)AIRFLOW__CORE__FERNET_KEY_CMD.*does-not-exist"):
        conf.get("core", "fernet_key")


class Backend:
    """A secrets backend that knows one path."""

    def __init__(self, **kwargs: str) -> None:
        self.kwargs = kwargs

    def get_config(self, key: str) -> str | None:
        return self.kwargs.get(key)


def test_a_secret_comes_from_the_secrets_backend(tmp_path: Path) -> None:
    conf = configuration(
        tmp_path,
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET="db",
        AIRFLOW__SECRETS__BACKEND=f"{__name__}.Backend",
        AIRFLOW__SECRETS__BACKEND_KWARGS='{"db": "postgresql://h/d"}',
    )
    assert conf.get("database", "sql_alchemy_conn") == "postgresql://h/d"


def test_an_option_whose_own_name_ends_like_a_suffix_is_read_plainly(tmp_path: Path) -> None:
    conf = configuration(tmp_path, AIRFLOW__API_AUTH__JWT_SECRET="s3cret")
    assert conf.get("api_auth", "jwt_secret") == "s3cret"
    assert conf.warnings() == []


def test_database_url_is_used_where_nothing_else_names_the_database(tmp_path: Path) -> None:
    url = "postgresql://user@host/name"
    assert configuration(tmp_path, DATABASE_URL=url).get("database", "sql_alchemy_conn") == url
    both = configuration(tmp_path, DATABASE_URL=url, AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="sqlite:///x.db")
    assert both.get("database", "sql_alchemy_conn") == "sqlite:///x.db"


def test_an_older_name_still_works_and_is_reported(tmp_path: Path) -> None:
    conf = configuration(tmp_path, "[core]\ndag_concurrency = 3\n")
    assert conf.get("core", "max_active_tasks_per_dag") == 3
    assert "older name of [core] max_active_tasks_per_dag" in conf.warnings()[0]


def test_an_unknown_name_gets_a_suggestion_from_file_and_environment(tmp_path: Path) -> None:
    conf = configuration(tmp_path, "[core]\nparalellism = 3\n", AIRFLOW__SCHEDULER__PARALLELISM="3", AIRFLOW__CORE__ZZZ="1")
    file, wrong_key, wrong_section = conf.warnings()
    assert "Did you mean [core] parallelism" in file
    assert "AIRFLOW__CORE__ZZZ" in wrong_key and "Did you mean" not in wrong_key
    assert "Did you mean [core] parallelism" in wrong_section


def test_an_option_that_only_airflow_needs_is_named_as_without_effect(tmp_path: Path) -> None:
    assert "has no effect here" in configuration(tmp_path, AIRFLOW__CORE__MP_START_METHOD="fork").warnings()[0]


def test_all_wrong_values_are_reported_together(tmp_path: Path) -> None:
    conf = configuration(tmp_path, AIRFLOW__CORE__PARALLELISM="x", AIRFLOW__API__PORT="99999999")
    with pytest.raises(ConfigurationError) as caught:
        conf.validate()
    assert "[core] parallelism" in str(caught.value) and "[api] port" in str(caught.value)


def test_a_broken_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"airflow\.cfg is not a valid configuration file"):
        configuration(tmp_path, "no section\n").get("core", "parallelism")


def test_the_fingerprint_changes_with_any_value_and_with_nothing_else(tmp_path: Path) -> None:
    assert configuration(tmp_path).fingerprint() == configuration(tmp_path, UNRELATED="1").fingerprint()
    assert configuration(tmp_path).fingerprint() != configuration(tmp_path, AIRFLOW__CORE__PARALLELISM="3").fingerprint()


def test_reload_reads_again(tmp_path: Path) -> None:
    conf = configuration(tmp_path)
    assert conf.get("core", "parallelism") == 32
    (tmp_path / "airflow.cfg").write_text("[core]\nparallelism = 1\n")
    assert conf.get("core", "parallelism") == 32
    conf.reload()
    assert conf.get("core", "parallelism") == 1


def test_the_written_file_shows_every_option_and_changes_none(tmp_path: Path) -> None:
    path = write_cfg(tmp_path)
    assert path is not None and path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert all(f"{option.key} =" in text and option.variable in text for option in OPTIONS.values())
    conf, plain = configuration(tmp_path), configuration(tmp_path / "elsewhere")
    for option in OPTIONS.values():
        value = conf.get(option.section, option.key)
        if option.generated:
            assert len(value) >= 43
        else:
            assert conf.source(option.section, option.key) == "default", option.name
            assert str(value).replace(str(tmp_path), "") == str(plain.get(option.section, option.key)).replace(
                str(tmp_path / "elsewhere"), ""
            )
    assert conf.warnings() == []


def test_uncommenting_every_default_changes_nothing(tmp_path: Path) -> None:
    lines = [
        line.removeprefix("# ") if line.split(" = ")[0].removeprefix("# ").isidentifier() else line
        for line in cfg_text().splitlines()
    ]
    conf = configuration(tmp_path, "\n".join(lines))
    plain = configuration(tmp_path, "\n")
    differing = [
        o.name for o in OPTIONS.values() if not o.generated and conf.get(o.section, o.key) != plain.get(o.section, o.key)
    ]
    assert differing == []
    assert conf.warnings() == []


def test_the_file_is_written_once(tmp_path: Path) -> None:
    first = write_cfg(tmp_path)
    assert first is not None
    text = first.read_text()
    assert write_cfg(tmp_path) is None
    assert first.read_text() == text


def test_missing_secrets_are_added_to_an_older_file_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "airflow.cfg"
    path.write_text("[core]\nparallelism = 7\nfernet_key = \n# a comment\n")
    add_secrets(path, [option for option in OPTIONS.values() if option.generated])
    values = read_cfg(path)
    assert values["core"]["parallelism"] == "7"
    assert "# a comment" in path.read_text()
    assert values["core"]["fernet_key"] and values["api"]["secret_key"] and values["api_auth"]["jwt_secret"]
