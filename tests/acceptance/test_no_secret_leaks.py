"""A canary for secrets: fetched by every path, spilled in every way, and found nowhere afterwards (C29-d)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.acceptance.test_clearing import known, start, trigger
from tests.faults.platform import Platform
from tests.faults.rest import Rest

# Each secret is a word that nothing else contains, between characters that every encoding changes.
WORDS = (
    "KanaryPassword",
    "KanaryExtra",
    "KanaryUri",
    "KanaryVariable",
    "KanaryEnv",
    "KanaryBackend",
    "KanaryMasked",
    "KanaryFile",
)


def secret(word: str) -> str:
    return f'{word}/é+"\\ %&{word[::-1]}'


DAG = """
import asyncio, base64, json, logging, urllib.parse
from airflow.sdk import DAG, BaseOperator, Variable, task
from airflow.sdk.log import mask_secret
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk.bases.hook import BaseHook
from airflow.triggers.base import BaseTrigger

def fetched():
    database, uri, backend = (BaseHook.get_connection(name) for name in ("database", "uri", "backend"))
    database.get_uri(), uri.as_json()
    own = open("{masked}").read()
    mask_secret(own)
    return [database.password, database.extra_dejson["api_key"], uri.password, Variable.get("variable_token"),
            Variable.get("env_password"), backend.password, Variable.get("file_secret"), own]

def spill(say):
    for secret in fetched():
        say(secret)
        say("url " + urllib.parse.quote(secret, safe="") + " " + urllib.parse.quote_plus(secret))
        say(json.dumps({{"value": secret}}) + json.dumps([secret], ensure_ascii=False) + repr(secret))
        say(urllib.parse.quote_plus(json.dumps({{"value": secret}})))
        for head in ("", "x", "xy", "user:"):
            say(base64.b64encode((head + secret + "tail").encode()).decode())
            say(base64.urlsafe_b64encode((head + secret).encode()).decode())
    say(BaseHook.get_connection("database").get_uri())
    say(BaseHook.get_connection("database").as_json())

class Kanary(BaseTrigger):
    def serialize(self):
        return "canary.Kanary", {{}}

    async def run(self):
        await asyncio.to_thread(spill, logging.getLogger("canary.trigger").warning)
        raise ValueError(*await asyncio.to_thread(fetched))
        yield

class Waits(BaseOperator):
    def execute(self, context):
        self.defer(trigger=Kanary(), method_name="execute")

with DAG("canary", schedule=None, on_failure_callback=lambda context: print("DAG callback"), render_template_as_native_obj=False):
    @task
    def prints(**context):
        fetched()
        print(*fetched())
        spill(print)
        spill(logging.getLogger("canary").warning)
        logging.getLogger("canary").error("with fields %s", fetched(), extra={{"found": fetched()}})

    @task(retries=1, retry_delay=0, on_failure_callback=lambda context: spill(print), on_retry_callback=lambda context: spill(print))
    def raises():
        lines = []
        spill(lines.append)
        raise ValueError(*fetched()) from RuntimeError("\\n".join(lines))

    @task(map_index_template="{{{{ task.op_kwargs['n'] }}}} {{{{ conn.database.password }}}} {{{{ var.value.variable_token }}}}")
    def mapped(n, text):
        print(text)

    Waits(task_id="waits")
    prints()
    raises()
    mapped.partial(text="{{{{ conn.database.password }}}} {{{{ conn.database.extra_dejson.api_key }}}} {{{{ conn.uri.get_uri() }}}}").expand(n=[1, 2])
    BashOperator(
        task_id="renders",
        bash_command="echo $A '{{{{ var.value.variable_token | urlencode }}}}'; exit 3",
        env={{"A": "{{{{ conn.database.password }}}} {{{{ var.value.env_password }}}}", "api_token": "visible by its name only"}},
        append_env=True,
    )
"""


def spellings() -> dict[str, list[bytes]]:
    """What shows a secret: its word forwards and backwards, plain or inside of base64 at each offset."""
    found: dict[str, list[bytes]] = {}
    for word in WORDS:
        forms = [word.encode(), word[::-1].encode()]
        for part in (word, word[::-1]):
            for offset in (0, 1, 2):
                encoded = base64.b64encode(b"\0" * offset + part.encode())
                forms.append(encoded[(0, 2, 3)[offset] : len(encoded) // 4 * 4 - 4])
        found[word] = forms
    return found


def leaks(where: str, content: bytes) -> list[str]:
    hits = []
    for word, forms in spellings().items():
        for form in forms:
            at = content.find(form)
            if at >= 0:
                hits.append(f"{where}: {word} as {form!r} in {content[max(0, at - 150) : at + 150]!r}")
    return hits


def configure(platform: Platform) -> None:
    """Put a secret where each path finds it; none of them is in the DAG file."""
    home, env = platform.deployment.home, platform.deployment.env
    (home / "own").write_text(secret("KanaryMasked"))
    backend = {"backend": {"conn_type": "http", "host": "h", "password": secret("KanaryBackend")}}
    (home / "vault.json").write_text(json.dumps(backend))
    (home / "vars.json").write_text(json.dumps({"file_secret": secret("KanaryFile")}))
    paths = {"connections_file_path": str(home / "vault.json"), "variables_file_path": str(home / "vars.json")}
    env |= {
        "AIRFLOW__WORKERS__SECRETS_BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "AIRFLOW__WORKERS__SECRETS_BACKEND_KWARGS": json.dumps(paths),
        "AIRFLOW_CONN_URI": json.dumps({"conn_type": "http", "host": "h", "password": secret("KanaryUri"), "extra": {"a": 1}}),
        "AIRFLOW_VAR_ENV_PASSWORD": secret("KanaryEnv"),
    }
    platform.write_dag(DAG.format(masked=home / "own"), "canary.py")


def answers(rest: Rest, run_id: str) -> Iterator[tuple[str, Any]]:
    """What people can ask about the run and the secrets."""
    run = f"/api/v2/dags/canary/dagRuns/{run_id}"
    paths = [
        run, f"{run}/taskInstances", f"{run}/taskInstances/raises/tries", f"{run}/taskInstances/mapped/listMapped",
        f"{run}/taskInstances/~/xcomEntries", "/api/v2/dags/~/dagRuns/~/taskInstances", "/api/v2/eventLogs?limit=500",
        "/api/v2/connections", "/api/v2/variables", "/api/v2/dagSources/canary",
    ]  # fmt: skip
    for task, tries in (("prints", 1), ("raises", 2), ("renders", 1), ("waits", 1)):
        paths += [f"{run}/taskInstances/{task}/logs/{number}?full_content=true" for number in range(1, tries + 1)]
    for path in paths:
        yield path, rest.call("GET", path)


def tables(platform: Platform) -> Iterator[tuple[str, bytes]]:
    """Every row of the database as text; values of XComs are data, and these tasks return none."""
    sqlite = platform.deployment.database_url.startswith("sqlite")
    names = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if sqlite
        else "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    for (name,) in platform.rows(names):
        yield name, "\n".join(map(str, platform.rows(f'SELECT * FROM "{name}"'))).encode()


def test_secrets_that_a_task_fetches_and_spills_are_found_nowhere(platform: Platform) -> None:
    configure(platform)
    rest = start(platform)
    known(platform, "canary")
    made = {"connection_id": "database", "conn_type": "http", "host": "h", "login": "user", "password": secret("KanaryPassword")}
    rest.call("POST", "/api/v2/connections", made | {"extra": json.dumps({"api_key": secret("KanaryExtra")})})
    rest.call("POST", "/api/v2/variables", {"key": "variable_token", "value": secret("KanaryVariable")})
    run_id = trigger(rest, "canary")
    assert platform.wait_run("canary", run_id) == "failed", platform.report("canary")
    rows = platform.rows("SELECT task_id, state, try_number FROM runs_taskinstance ORDER BY task_id, map_index")
    assert rows == [
        ("mapped", "success", 1), ("mapped", "success", 1), ("prints", "success", 1), ("raises", "failed", 2), ("renders", "failed", 1), ("waits", "failed", 1),
    ]  # fmt: skip
    platform.wait_logs("canary", attempts=7)
    found: list[str] = []
    for path, answer in answers(rest, run_id):
        found += leaks(path, json.dumps(answer, ensure_ascii=False).encode()) + leaks(path, json.dumps(answer).encode())
    platform.stop()  # which writes what logs still wait for
    logs = {path: path.read_bytes() for path in sorted(platform.deployment.logs.rglob("*")) if path.is_file()}
    spilled = b"\n".join(text for path, text in logs.items() if "task_id=" in str(path))
    assert spilled.count(b"***") > 500, "the tasks spilled what they fetched"
    found += [hit for path, text in logs.items() for hit in leaks(str(path.relative_to(platform.deployment.home)), text)]
    for name, text in tables(platform):
        found += leaks(f"table {name}", text)
    for file in [*platform.deployment.home.glob("airflow.db*"), *platform.deployment.home.glob("*.out")]:
        found += leaks(file.name, file.read_bytes())
    assert found == [], "\n".join(found[:20]) + f"\n{len(found)} in all"


def test_the_canary_would_find_a_leak() -> None:
    """Each spelling that the task spills shows without a masker."""
    text = secret("KanaryPassword")
    for spelled in (text, json.dumps(text), *(base64.b64encode(f"{head}{text}".encode()).decode() for head in ("", "x", "xy"))):
        assert leaks("here", spelled.encode()), spelled
    assert not leaks("here", b"Kanary")
