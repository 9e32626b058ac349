"""Decides the options of the metadata database, secrets backends, log files and retention."""

# One option is one row of a table, however wide.
# ruff: noqa: E501
from orchestrator.config.option import Option

# fmt: off
OPTIONS = (
    Option("database", "sql_alchemy_conn", "str", "sqlite:///{AIRFLOW_HOME}/airflow.db", "URL of the metadata database: sqlite, postgresql or mysql.", sensitive=True, deprecated_names=(("core", "sql_alchemy_conn"),), environment="DATABASE_URL"),
    Option("database", "sql_alchemy_pool_enabled", "bool", True, "Share connections between the threads of the API server (PostgreSQL)."),
    Option("database", "sql_alchemy_pool_size", "int", 5, "Connections that the API server's pool keeps open.", minimum=1),
    Option("database", "sql_alchemy_max_overflow", "int", 10, "Further connections the pool may open under load.", minimum=0),
    Option("database", "sql_alchemy_pool_recycle", "int", 1800, "Seconds after which a connection is replaced.", minimum=0),
    Option("database", "sql_alchemy_schema", "str", "", "PostgreSQL schema of the tables; empty means the search path."),
    Option("database", "connect_timeout_seconds", "int", 10, "Seconds to wait for a connection to the database server.", minimum=1),
    Option("database", "busy_timeout_seconds", "int", 20, "Seconds a SQLite writer waits for another writer.", minimum=1),
    Option("database", "max_db_retries", "int", 3, "How often a unit of work is repeated after a deadlock or a lost connection.", minimum=0),
    Option("database", "check_migrations", "bool", True, "Every part checks on start that migrations are applied."),
    Option("secrets", "backend", "str", "", "Class path of a secrets backend that is asked before environment and database."),
    Option("secrets", "backend_kwargs", "json", None, "Arguments of the secrets backend as JSON.", sensitive=True),
    Option("secrets", "use_cache", "bool", False, "Remember answers of the secrets backend while DAG files are parsed."),
    Option("secrets", "cache_ttl_seconds", "int", 900, "How long such an answer is remembered.", minimum=0),
    Option("logging", "base_log_folder", "path", "{AIRFLOW_HOME}/logs", "Folder of task logs and DAG processor logs."),
    Option("logging", "logging_level", "choice", "INFO", "Least level that is logged.", choices=("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")),
    Option("logging", "namespace_levels", "str", None, "Levels of single loggers: `name=LEVEL` separated by blanks or commas."),
    Option("logging", "celery_logging_level", "str", "", "Level of Celery's own log; empty means logging_level."),
    Option("logging", "json_logs", "bool", False, "Write the parts' own logs as JSON lines."),
    Option("logging", "colored_console_log", "bool", True, "Colour the console where it is a terminal."),
    Option("logging", "dag_processor_log_target", "choice", "file", "Where the log of each DAG file goes.", choices=("file", "stdout")),
    Option("logging", "dag_processor_child_process_log_directory", "path", "{AIRFLOW_HOME}/logs/dag_processor", "Folder of the logs per DAG file."),
    Option("logging", "remote_logging", "bool", False, "Copy task logs to a remote store when an attempt ends."),
    Option("logging", "remote_log_conn_id", "str", "", "Connection used to reach the remote store."),
    Option("logging", "remote_base_log_folder", "str", "", "URL of the folder in the remote store."),
    Option("logging", "delete_local_logs", "bool", False, "Delete the local log after it was copied."),
    Option("logging", "min_length_masked_secret", "int", 5, "Secrets shorter than this are not masked.", minimum=1),
    Option("logging", "worker_log_server_port", "int", 8793, "Port on which a worker serves its logs.", minimum=1, maximum=65535),
    Option("logging", "trigger_log_server_port", "int", 8794, "Port on which a triggerer serves its logs.", minimum=1, maximum=65535),
    Option("logging", "file_task_handler_new_folder_permissions", "str", "0o775", "Mode of new log folders."),
    Option("logging", "file_task_handler_new_file_permissions", "str", "0o664", "Mode of new log files."),
    Option("logging", "color_log_error_keywords", "str", "error,exception", "Words that colour a log line as an error."),
    Option("logging", "color_log_warning_keywords", "str", "warn", "Words that colour a log line as a warning."),
    Option("retention", "enabled", "bool", True, "Delete old history by itself."),
    Option("retention", "dag_runs_days", "int", 180, "Days that finished runs with their tasks, history and XComs are kept.", minimum=1),
    Option("retention", "logs_days", "int", 30, "Days that log files are kept.", minimum=1),
    Option("retention", "audit_days", "int", 365, "Days that the audit log is kept.", minimum=1),
    Option("retention", "batch_rows", "int", 500, "Rows deleted in one transaction.", minimum=1),
    Option("retention", "interval_seconds", "int", 3600, "Seconds between two rounds of deleting.", minimum=1),
)
