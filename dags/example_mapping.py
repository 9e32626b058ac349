"""Dynamic mapping: one instance per item of a list that is known only when the run has begun."""

from datetime import datetime

from airflow.sdk import dag, get_current_context, task, task_group


@dag(
    schedule=None,
    start_date=datetime(2024, 1, 1),
    catchup=False,
    is_paused_upon_creation=True,
    tags=["example"],
    doc_md=__doc__,
)
def example_mapping() -> None:
    """Weigh every parcel, load each, and sum up."""

    @task
    def parcels() -> list[dict[str, int]]:
        return [{"number": 1, "grams": 250}, {"number": 2, "grams": 900}, {"number": 3, "grams": 1200}]

    @task(map_index_template="parcel {{ number }}")
    def weigh(number: int, grams: int) -> int:
        get_current_context()["number"] = number
        return grams

    @task_group
    def load(grams: int):
        @task
        def lift(grams: int) -> int:
            return grams

        @task
        def note(grams: int) -> str:
            return f"{grams} g loaded"

        return note(lift(grams))

    @task
    def total(weights, notes) -> int:
        return sum(weights) if len(weights) == len(notes) else 0

    weights = weigh.expand_kwargs(parcels())
    total(weights, load.expand(grams=weights))


example_mapping()
