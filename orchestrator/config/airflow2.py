"""Decides which names of Airflow 2 are read under their new names, which mean nothing any more, and which defaults changed."""

# By new section: new key and older names.
_RENAMED: dict[str, dict[str, str]] = {
    "core": {
        "hide_sensitive_var_conn_fields": "admin.hide_sensitive_variable_fields",
        "sensitive_var_conn_names": "admin.sensitive_variable_fields",
        "default_pool_task_slot_count": "core.non_pooled_task_slot_count",
    },
    "database": {
        "sql_alchemy_pool_enabled": "core.sql_alchemy_pool_enabled",
        "sql_alchemy_pool_size": "core.sql_alchemy_pool_size",
        "sql_alchemy_max_overflow": "core.sql_alchemy_max_overflow",
        "sql_alchemy_pool_recycle": "core.sql_alchemy_pool_recycle",
        "sql_alchemy_schema": "core.sql_alchemy_schema",
        "max_db_retries": "core.max_db_retries",
    },
    "api": {
        "access_control_allow_origins": "api.access_control_allow_origin",
        "instance_name": "webserver.instance_name",
        "base_url": "webserver.base_url",
        "worker_timeout": "webserver.web_server_worker_timeout",
        "ssl_cert": "webserver.web_server_ssl_cert",
        "ssl_key": "webserver.web_server_ssl_key",
        "grid_view_sorting_order": "webserver.grid_view_sorting_order",
        "enable_swagger_ui": "webserver.enable_swagger_ui",
        "log_fetch_timeout_sec": "webserver.log_fetch_timeout_sec",
        "hide_paused_dags_by_default": "webserver.hide_paused_dags_by_default",
        "default_wrap": "webserver.default_wrap",
        "require_confirmation_dag_change": "webserver.require_confirmation_dag_change",
        "auto_refresh_interval": "webserver.auto_refresh_interval",
        "fallback_page_limit": "api.page_size",
    },
    "metrics": {
        "metrics_allow_list": "metrics.statsd_allow_list",
        "metrics_block_list": "metrics.statsd_block_list",
        "statsd_on": "scheduler.statsd_on",
        "statsd_host": "scheduler.statsd_host",
        "statsd_port": "scheduler.statsd_port",
        "statsd_prefix": "scheduler.statsd_prefix",
        "statsd_datadog_enabled": "scheduler.statsd_datadog_enabled",
        "statsd_datadog_tags": "scheduler.statsd_datadog_tags",
    },
    "scheduler": {
        "scheduler_idle_sleep_time": "scheduler.processor_poll_interval",
        "parsing_cleanup_interval": "scheduler.deactivate_stale_dags_interval",
        "task_instance_heartbeat_sec": "scheduler.local_task_job_heartbeat_sec",
        "task_instance_heartbeat_timeout_detection_interval": "scheduler.zombie_detection_interval",
        "task_queued_timeout": "celery.task_adoption_timeout kubernetes_executor.worker_pods_pending_timeout",
        "task_queued_timeout_check_interval": "kubernetes_executor.worker_pods_pending_timeout_check_interval",
    },
    "dag_processor": {
        "max_callbacks_per_loop": "scheduler.max_callbacks_per_loop",
        "stale_dag_threshold": "scheduler.stale_dag_threshold",
        "print_stats_interval": "scheduler.print_stats_interval",
    },
    "logging": {
        "dag_processor_child_process_log_directory": "scheduler.child_process_log_directory",
    },
    "operators": {
        "default_queue": "celery.default_queue",
    },
}

# Options of Airflow 2 that Airflow 3 dropped, or that belong to what this platform does not have, by section.
_REMOVED: dict[str, str] = {
    "celery": "stalled_task_timeout",
    "core": (
        "hostname check_slas strict_dataset_uri_validation dag_default_view dag_orientation dataset_manager_class "
        "dataset_manager_kwargs worker_precheck sql_engine_encoding sql_engine_collation_for_ids "
        "sql_alchemy_pool_pre_ping sql_alchemy_connect_args load_default_connections task_runner enable_xcom_pickling "
        "dag_processor_manager_log_location log_processor_filename_template"
    ),
    "api": ("auth_backend auth_backends"),
    "logging": (
        "enable_task_context_logger dag_processor_manager_log_location dag_processor_manager_log_stdout "
        "log_processor_filename_template"
    ),
    "metrics": ("metrics_use_pattern_match timer_unit_consistency"),
    "traces": ("otel_task_log_event"),
    "operators": ("allow_illegal_arguments"),
    "webserver": (
        "allow_raw_html_descriptions cookie_samesite audit_view_included_events audit_view_excluded_events "
        "update_fab_perms auth_rate_limited auth_rate_limit config_file session_backend session_lifetime_days "
        "force_log_out_after access_denied_message expose_hostname navbar_color navbar_text_color navbar_hover_color "
        "navbar_text_hover_color x_frame_enabled access_logfile error_logfile access_logformat "
        "web_server_master_timeout worker_refresh_batch_size worker_refresh_interval reload_on_plugin_change "
        "worker_class expose_stacktrace log_fetch_delay_sec log_auto_tailing_offset log_animation_speed "
        "default_dag_run_display_number page_size instance_name_has_markup warn_deployment_exposure proxy_fix_x_for "
        "proxy_fix_x_proto proxy_fix_x_host proxy_fix_x_port proxy_fix_x_prefix cookie_secure analytics_tool "
        "analytics_id analytics_url show_recent_stats_for_completed_runs run_internal_api caching_hash_method "
        "show_trigger_form_if_no_params num_recent_configurations_for_trigger allowed_payload_size max_form_memory_size "
        "max_form_parts default_ui_timezone navbar_logo_text_color"
    ),
    "policy": ("airflow_local_settings"),
    "scheduler": (
        "dependency_detector allow_trigger_in_future dag_stale_not_seen_duration statsd_allow_list stat_name_handler "
        "statsd_datadog_metrics_tags statsd_custom_client_path"
    ),
    "database": ("load_default_connections"),
}

# What a configuration that does not name the option got from Airflow 2, and gets now.
CHANGED_DEFAULTS: dict[tuple[str, str], tuple[str, str]] = {
    ("core", "executor"): ("SequentialExecutor", "LocalExecutor"),
    ("scheduler", "catchup_by_default"): ("True", "False"),
    ("scheduler", "create_cron_data_intervals"): ("True", "False"),
    ("scheduler", "create_delta_data_intervals"): ("True", "False"),
}


def older_names(section: str, key: str) -> tuple[tuple[str, str], ...]:
    """Return the names under which Airflow 2 knew an option."""
    names = _RENAMED.get(section, {}).get(key, "").split()
    return tuple((older, name) for older, _, name in (text.partition(".") for text in names))


def is_removed(section: str, key: str) -> bool:
    """Return whether Airflow 2 knew the option and nothing took its place here."""
    return key in _REMOVED.get(section, "").split()
