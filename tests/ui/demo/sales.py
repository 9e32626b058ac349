"""A shop: sales are loaded day by day, some days with a fault; a report follows the loaded table, a model trains for minutes."""

import time
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, Label, Param, TaskGroup, get_current_context, task

SALES = Asset("sales", uri="postgres://warehouse/shop/public/sales")
REPORT = Asset("report", uri="s3://reports/daily.html")
TEN_DAYS_AGO = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=12)


@task(retries=1, retry_delay=timedelta(seconds=1))
def load_part(part: str) -> int:
    due = get_current_context()["dag_run"].run_after
    age, day = (datetime.now(UTC) - due).days, due.day
    time.sleep(0.2 + len(part) % 3 * 0.1)
    print(f"Loading {part} of day {day}")
    if age % 4 == 0 and part == "part-05":
        raise ValueError(f"duplicate key value violates unique constraint: order_id={day}0417 in {part}")
    return day * 100


with DAG(
    "etl_sales", schedule="0 6 * * *", start_date=TEN_DAYS_AGO, catchup=True, tags=["sales", "finance"], max_active_runs=2,
    description="Loads yesterday's orders into the warehouse", default_args={"owner": "warehouse"},
    doc_md="Loads **orders** and *refunds* of the shop into `public.sales`.\n\nCall the warehouse team when it fails twice.",
    params={"region": Param("eu", enum=["eu", "us", "apac"], description="Whose orders"), "full": Param(False, type="boolean")},
    is_paused_upon_creation=False,
):  # fmt: skip

    @task
    def list_parts() -> list[str]:
        return [f"part-{number:02}" for number in range(8)]

    with TaskGroup("extract") as extract:

        @task
        def orders() -> int:
            time.sleep(0.4)
            return 1240

        @task
        def refunds() -> int:
            time.sleep(0.3)
            return 31

        orders()
        refunds()

    @task.branch
    def choose() -> str:
        return "quick_check"

    @task
    def quick_check() -> None:
        time.sleep(0.2)

    @task
    def full_check() -> None:
        time.sleep(1)

    @task(outlets=[SALES])
    def publish() -> None:
        time.sleep(0.2)

    chosen, loaded = choose(), load_part.expand(part=list_parts())
    quick, full, published = quick_check(), full_check(), publish()
    extract >> loaded >> published
    loaded >> chosen
    chosen >> Label("workday") >> quick
    chosen >> Label("month end") >> full

with DAG("daily_report", schedule=[SALES], start_date=TEN_DAYS_AGO, tags=["sales"], description="Writes the report", is_paused_upon_creation=False):  # fmt: skip

    @task(outlets=[REPORT])
    def render() -> str:
        time.sleep(0.5)
        return "<h1>Sales</h1>"

    @task
    def send(html: str) -> None:
        print(f"Sent {len(html)} characters")

    send(render())

with DAG("train_model", schedule="@once", start_date=TEN_DAYS_AGO, tags=["ml"], description="Trains for minutes", is_paused_upon_creation=False):  # fmt: skip

    @task
    def features() -> None:
        time.sleep(1)

    @task
    def train(fold: int) -> None:
        for epoch in range(600):
            print(f"fold {fold}, epoch {epoch}: loss {1 / (epoch + 1):.4f}")
            time.sleep(1)

    features() >> train.expand(fold=[1, 2, 3])
