"""A task with a weight strategy of a plugin (plugins/example_decreasing_weight.py), named by its path."""

from datetime import timedelta

from airflow.sdk import dag, get_current_context, task


@dag(schedule=None, tags=["example"], doc_md=__doc__)
def example_custom_weight():
    """The first try fails, so that the second one runs with less weight."""

    @task(
        weight_rule="example_decreasing_weight.DecreasingWeight",
        retries=1,
        retry_delay=timedelta(seconds=1),
    )
    def stubborn():
        attempt = get_current_context()["ti"].try_number
        if attempt == 1:
            raise RuntimeError("the first try fails on purpose")
        return attempt

    stubborn()


example_custom_weight()
