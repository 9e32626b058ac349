"""Declares the options of values that outlive an attempt, and of partitions."""

from orchestrator.config.option import Option

OPTIONS = (
    Option(
        "scheduler",
        "partition_mapper_max_downstream_keys",
        "int",
        1000,
        "Most partitions that one event counts for, where its mapper does not say.",
        minimum=1,
    ),
    Option(
        "state_store",
        "default_retention_days",
        "int",
        30,
        "Days a value of a task is kept whose writer does not say; 0 keeps it.",
        minimum=0,
    ),
    Option("state_store", "clear_on_success", "bool", False, "Forget the values of a task when it succeeds."),
    Option(
        "state_store",
        "max_value_storage_bytes",
        "int",
        65535,
        "Most bytes of one value that the REST API takes; 0 means no limit.",
        minimum=0,
    ),
)
