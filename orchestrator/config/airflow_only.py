"""Decides which names of Airflow's options are known but have no effect here, so that they are not taken for typing errors."""

NAMES: dict[str, str] = {
    "core": (
        "might_contain_dag_callable mp_start_method mp_forkserver_preload auth_manager security "
        "lazy_discover_providers asset_manager_class asset_manager_kwargs team_name_cache_ttl"
    ),
    "database": (
        "alembic_ini_file_path sql_alchemy_conn_async sql_alchemy_engine_args sql_engine_encoding "
        "sql_engine_collation_for_ids sql_alchemy_pool_pre_ping sql_alchemy_connect_args "
        "sql_alchemy_connect_args_async sql_alchemy_session_maker external_db_managers migration_batch_size"
    ),
    "logging": (
        "google_key_path remote_task_handler_kwargs encrypt_s3_logs fab_logging_level uvicorn_logging_level "
        "logging_config_class log_format callsite_parameters simple_log_format dag_processor_log_format "
        "log_formatter_class log_timestamp_format secret_mask_adapter task_log_prefix_template "
        "log_filename_template task_log_reader extra_logger_names interleave_timestamp_parser "
        "celery_stdout_stderr_separation"
    ),
    "metrics": "stat_name_handler statsd_custom_client_path",
    "traces": "otel_debug_traces_on task_runner_flush_timeout_milliseconds",
    "api": (
        "theme dag_cache_size dag_cache_ttl server_type worker_refresh_interval worker_refresh_batch_size "
        "log_config log_stream_buffer_size ssl_ca_file ssl_cert_reqs client_ssl_cert client_ssl_key "
        "client_use_public_certs"
    ),
    "workers": "state_store_backend",
    "sdk": "coordinators queue_to_coordinator",
    "api_auth": "jwt_private_key_path jwt_algorithm jwt_kid trusted_jwks_url",
    "execution_api": "otel_trace_propagation",
    "lineage": "max_assets_per_collector max_extras_per_collector",
    "sentry": "before_send",
    "scheduler": ("only_idle ti_metrics_interval dagrun_metrics_interval enable_tracemalloc"),
    "connection_test": "reaper_interval",
    "triggerer": (
        "runner_health_check_threshold shared_stream_subscriber_queue_size "
        "shared_stream_ack_timeout shared_stream_cohort_grace_period"
    ),
    "kerberos": "ccache principal reinit_frequency kinit_path keytab forwardable include_ip",
    "dag_processor": "parsing_pre_import_modules",
    "state_store": "backend state_cleanup_batch_size",
    "profiling": "memray_trace_components memray_detailed_tracing",
    "common.io": ("state_store_objectstorage_path state_store_objectstorage_threshold state_store_objectstorage_compression"),
    "standard": "venv_install_method",
    "atlas": "sasl_enabled host port username password",
    "hive": "default_hive_mapred_queue",
    "local_kubernetes_executor": "kubernetes_queue",
    "celery_kubernetes_executor": "kubernetes_queue",
    "celery": "result_backend_sqlalchemy_engine_options worker_precheck",
    "elasticsearch": (
        "host log_id_template end_of_log_mark frontend write_stdout json_format json_fields host_field "
        "offset_field index_patterns write_to_es target_index"
    ),
    "elasticsearch_configs": "use_ssl verify_certs",
    "opensearch": (
        "host port username password log_id_template end_of_log_mark write_stdout json_format json_fields "
        "host_field offset_field index_patterns index_patterns_callable"
    ),
    "opensearch_configs": "http_compress use_ssl verify_certs ssl_assert_hostname ssl_show_warn ca_certs",
    "kubernetes_executor": "api_client_retry_configuration logs_task_metadata",
}

# Sections of Airflow whose every option is without effect here.
SECTIONS = frozenset(
    {"atlas", "elasticsearch", "elasticsearch_configs", "fab", "hive", "kerberos", "lineage", "local_kubernetes_executor"}
    | {
        "celery_kubernetes_executor",
        "celery_broker_transport_options",
        "opensearch",
        "opensearch_configs",
        "profiling",
        "webserver",
    }
    | {
        "aws",
        "azure_remote_logging",
        "standard",
        "sdk",
        "openlineage",
        "cli",
        "usage_data_collection",
    }
)


def is_airflow_only(section: str, key: str) -> bool:
    """True where Airflow knows the option and this product does not need it."""
    return section in SECTIONS or key in NAMES.get(section, "").split()
