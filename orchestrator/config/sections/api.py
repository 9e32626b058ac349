"""Decides the options of the API server, its tokens and the Execution API."""

# One option is one row of a table, however wide.
# ruff: noqa: E501, S104
from orchestrator.config.option import Option

# fmt: off
OPTIONS = (
    Option("api", "instance_name", "str", None, "Name shown in the page header."),
    Option("api", "base_url", "str", None, "URL under which people reach this server; its path is the prefix of all pages."),
    Option("api", "host", "str", "0.0.0.0", "Address the API server listens on.", deprecated_names=(("webserver", "web_server_host"),)),
    Option("api", "port", "int", 8080, "Port the API server listens on.", deprecated_names=(("webserver", "web_server_port"),), minimum=0, maximum=65535),
    Option("api", "workers", "int", 1, "Processes of the API server.", deprecated_names=(("webserver", "workers"),), minimum=1),
    Option("api", "threads", "int", 16, "Threads of each process of the API server.", minimum=1),
    Option("api", "worker_timeout", "int", 120, "Seconds a process of the API server may be silent before it is replaced.", minimum=1),
    Option("api", "ssl_cert", "path", None, "Certificate file; with it the server speaks HTTPS."),
    Option("api", "ssl_key", "path", None, "Key file of the certificate."),
    Option("api", "secret_key", "str", "", "Signs sessions and forms; the same on all API servers.", sensitive=True, deprecated_names=(("webserver", "secret_key"),), generated=True),
    Option("api", "expose_config", "choice", "False", "Show the configuration in pages and API.", deprecated_names=(("webserver", "expose_config"),), choices=("False", "True", "non-sensitive-only")),
    Option("api", "expose_stacktrace", "bool", False, "Put the traceback of a server error into the answer."),
    Option("api", "enable_swagger_ui", "bool", True, "Serve the interactive API documentation."),
    Option("api", "maximum_page_limit", "int", 100, "Most rows of one page.", minimum=1),
    Option("api", "fallback_page_limit", "int", 50, "Rows of a page where `limit` is 0 or missing.", minimum=1),
    Option("api", "access_control_allow_headers", "str", "", "CORS: allowed request headers, separated by commas."),
    Option("api", "access_control_allow_methods", "str", "", "CORS: allowed methods, separated by commas."),
    Option("api", "access_control_allow_origins", "str", "", "CORS: the exact origins whose pages may call the API, separated by commas."),
    Option("api", "grid_view_sorting_order", "choice", "topological", "Order of tasks in the grid.", choices=("topological", "hierarchical_alphabetical")),
    Option("api", "hide_paused_dags_by_default", "bool", False, "The DAG list starts without paused DAGs."),
    Option("api", "default_wrap", "bool", False, "Wrap long lines of logs and code."),
    Option("api", "auto_refresh_interval", "int", 3, "Seconds between refreshes of a page with running tasks.", minimum=1),
    Option("api", "require_confirmation_dag_change", "bool", False, "Ask before pausing or triggering a DAG."),
    Option("api", "log_fetch_timeout_sec", "int", 5, "Seconds to wait for a worker's log.", minimum=1),
    Option("api", "access_log", "bool", False, "Log every request."),
    Option("api", "session_lifetime_minutes", "int", 43200, "Minutes a login lasts.", deprecated_names=(("webserver", "session_lifetime_minutes"),), minimum=1),
    Option("api", "allowed_hosts", "str", "*", "Host names this server answers to, separated by commas."),
    Option("api", "proxy_headers", "bool", False, "Trust X-Forwarded-Proto and X-Forwarded-Host of a proxy in front.", deprecated_names=(("webserver", "enable_proxy_fix"),)),
    Option("api_auth", "jwt_secret", "str", "", "Signs tokens; `new,old` accepts both and signs with the first.", sensitive=True, generated=True),
    Option("api_auth", "jwt_audience", "str", None, "Audience of tokens of the REST API; default `apache-airflow`."),
    Option("api_auth", "jwt_issuer", "str", None, "Issuer of tokens."),
    Option("api_auth", "jwt_expiration_time", "int", 86400, "Seconds a token of the REST API lives.", minimum=1),
    Option("api_auth", "jwt_cli_expiration_time", "int", 3600, "Seconds a token made for the command line lives.", minimum=1),
    Option("api_auth", "jwt_leeway", "int", 10, "Seconds by which clocks may differ.", minimum=0),
    Option("execution_api", "jwt_expiration_time", "int", 600, "Seconds an execution token lives; it is renewed by heartbeats.", minimum=1),
    Option("execution_api", "jwt_audience", "str", "urn:airflow.apache.org:task", "Audience of workload and execution tokens; the first of a comma list is issued."),
)
