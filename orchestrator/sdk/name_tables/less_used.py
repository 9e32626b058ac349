"""Decides what stands behind modules of ``airflow`` that DAG files, custom operators and their tests import now and then."""

_FUNCTIONS = "name_tables.old_functions"
_PROCESSES = "name_tables.processes"
_MODELS = "name_tables.server_models"

LESS_USED: dict[str, tuple[str, ...]] = {
    "airflow.dag_processing": (),
    "airflow.dag_processing.dagbag": ("testing.dag_bag:DagBag DagBag=BundleDagBag",),
    "airflow.hooks.package_index": ("hooks.package_index:PackageIndexHook",),
    "airflow.io.storage": ("definitions.object_store_attach:attach",),
    "airflow.jobs": (),
    "airflow.jobs.job": (f"{_MODELS}:Job",),
    "airflow.lineage": (),
    "airflow.lineage.hook": ("definitions.lineage",),
    "airflow.models.abstractoperator": (
        "definitions.abstract_operator:AbstractOperator",
        "name_tables.defaults:DEFAULT_OWNER DEFAULT_QUEUE DEFAULT_TASK_EXECUTION_TIMEOUT",
    ),
    "airflow.models.base": ("name_tables.defaults:ID_LEN", f"{_MODELS}:Base"),
    "airflow.models.dagbag": ("testing.dag_bag:DagBag",),
    "airflow.models.errors": (f"{_MODELS}:ParseImportError",),
    "airflow.models.log": (f"{_MODELS}:Log",),
    "airflow.models.pool": (f"{_MODELS}:Pool",),
    "airflow.models.referencemixin": ("definitions.dependency:ResolveMixin=ReferenceMixin",),
    "airflow.models.renderedtifields": (f"{_MODELS}:RenderedTaskInstanceFields",),
    "airflow.models.serialized_dag": (f"{_MODELS}:SerializedDagModel",),
    "airflow.models.taskinstancehistory": (f"{_MODELS}:TaskInstanceHistory",),
    "airflow.models.taskmixin": ("definitions.node:DAGNode", "definitions.dependency:DependencyMixin"),
    "airflow.models.taskreschedule": (f"{_MODELS}:TaskReschedule",),
    "airflow.models.trigger": (f"{_MODELS}:Trigger",),
    "airflow.observability": (),
    "airflow.observability.stats": ("stats",),
    "airflow.partition_mappers.allowed_key": ("definitions.partition_mappers:AllowedKeyMapper",),
    "airflow.partition_mappers.chain": ("definitions.partition_mappers:ChainMapper",),
    "airflow.partition_mappers.fixed_key": ("definitions.partition_mappers:FixedKeyMapper",),
    "airflow.partition_mappers.product": ("definitions.partition_mappers:ProductMapper",),
    "airflow.partition_mappers.temporal": (
        "definitions.partition_mappers:FanOutMapper StartOfDayMapper StartOfHourMapper StartOfMonthMapper "
        "StartOfQuarterMapper StartOfWeekMapper StartOfYearMapper",
    ),
    "airflow.partition_mappers.wait_policy": ("definitions.partition_mappers:MinimumCount WaitForAll",),
    "airflow.security": (),
    "airflow.security.permissions": ("name_tables.permissions",),
    "airflow.serialization": (),
    "airflow.serialization.serde": ("serialization.values:decode=deserialize encode=serialize",),
    "airflow.stats": ("stats:Stats",),
    "airflow.triggers.testing": ("triggers.testing:FailureTrigger SuccessTrigger",),
    "airflow.typing_compat": ("name_tables.typing_names",),
    "airflow.utils.code_utils": (f"{_FUNCTIONS}:get_python_source",),
    "airflow.utils.dag_cycle_tester": (f"{_FUNCTIONS}:check_cycle",),
    "airflow.utils.deprecation_tools": ("exceptions:DeprecatedImportWarning",),
    "airflow.utils.hashlib_wrapper": (f"{_FUNCTIONS}:md5",),
    "airflow.utils.log.secrets_masker": ("execution.channel:mask_secret", "execution.masking:redact should_hide_value_for_key"),
    "airflow.utils.net": (f"{_PROCESSES}:get_host_ip_address get_hostname getfqdn",),
    "airflow.utils.platform": (f"{_PROCESSES}:IS_WINDOWS getuser is_tty",),
    "airflow.utils.process_utils": (
        f"{_PROCESSES}:IS_WINDOWS execute_in_subprocess execute_in_subprocess_with_kwargs patch_environ",
    ),
    "airflow.utils.strings": (f"{_FUNCTIONS}:get_random_string to_boolean",),
    "airflow.utils.timeout": ("execution.timeout:timeout",),
    "airflow.utils.yaml": ("name_tables.yaml_text:dump safe_load",),
}
