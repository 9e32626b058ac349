"""A plugin with a weight strategy: each further try of a task gives way to the first tries of others."""

from airflow.plugins_manager import AirflowPlugin
from airflow.task.priority_strategy import PriorityWeightStrategy


class DecreasingWeight(PriorityWeightStrategy):
    """Weight 10 for the first try, one less for each further one, at least 1."""

    def get_weight(self, ti):
        """Return the weight of the try after ``ti.try_number`` tries."""
        return max(10 - ti.try_number, 1)


class ExampleDecreasingWeightPlugin(AirflowPlugin):
    """Makes the strategy known."""

    name = "example_decreasing_weight"
    priority_weight_strategies = [DecreasingWeight]
