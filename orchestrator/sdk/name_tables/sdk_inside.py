"""Decides what stands behind the modules inside of ``airflow.sdk`` that providers and custom operators reach into."""

_DEFAULTS = (
    "name_tables.defaults:DEFAULT_EMAIL_ON_FAILURE DEFAULT_EMAIL_ON_RETRY DEFAULT_IGNORE_FIRST_DEPENDS_ON_PAST DEFAULT_OWNER "
    "DEFAULT_POOL_NAME DEFAULT_POOL_SLOTS DEFAULT_PRIORITY_WEIGHT DEFAULT_QUEUE DEFAULT_RETRIES DEFAULT_RETRY_DELAY "
    "DEFAULT_TASK_EXECUTION_TIMEOUT DEFAULT_TRIGGER_RULE DEFAULT_WAIT_FOR_PAST_DEPENDS_BEFORE_SKIPPING DEFAULT_WEIGHT_RULE"
)
_MAPPERS = "definitions.partition_mappers"
_TIMETABLES = "definitions.timetables"
_STORE = "definitions.object_store_attach"

SDK_INSIDE: dict[str, tuple[str, ...]] = {
    "airflow.sdk.bases.secrets_backend": ("secrets.base:BaseSecretsBackend",),
    "airflow.sdk.definitions._internal.dag_parsing_context": ("definitions.context:AirflowParsingContext get_parsing_context",),
    "airflow.sdk.definitions._internal.expandinput": (
        "definitions.expand:DictOfListsExpandInput ListOfDictsExpandInput MappedArgument",
    ),
    "airflow.sdk.definitions._internal.logging_mixin": ("name_tables.old_functions:LoggingMixin",),
    "airflow.sdk.definitions._internal.mixins": ("definitions.dependency:DependencyMixin ResolveMixin",),
    "airflow.sdk.definitions._internal.node": ("definitions.node:DAGNode validate_group_key validate_key",),
    "airflow.sdk.definitions._internal.setup_teardown": ("definitions.setup_teardown:SetupTeardownContext",),
    "airflow.sdk.definitions._internal.templater": ("execution.templating.templater:LiteralValue Templater",),
    "airflow.sdk.definitions.asset.access_control": ("definitions.asset:AssetAccessControl",),
    "airflow.sdk.definitions.decorators.condition": ("definitions.conditions:run_if skip_if",),
    "airflow.sdk.definitions.decorators.setup_teardown": (
        "decorators:setup=setup_task teardown=teardown_task",
        "definitions.setup_teardown:ContextWrapper context_wrapper",
    ),
    "airflow.sdk.definitions.decorators.task_group": ("definitions.task_group_decorator:task_group",),
    "airflow.sdk.definitions.partition_mappers.allowed_key": (f"{_MAPPERS}:AllowedKeyMapper",),
    "airflow.sdk.definitions.partition_mappers.base": (f"{_MAPPERS}:PartitionMapper RollupMapper",),
    "airflow.sdk.definitions.partition_mappers.chain": (f"{_MAPPERS}:ChainMapper",),
    "airflow.sdk.definitions.partition_mappers.fixed_key": (f"{_MAPPERS}:FixedKeyMapper",),
    "airflow.sdk.definitions.partition_mappers.identity": (f"{_MAPPERS}:IdentityMapper",),
    "airflow.sdk.definitions.partition_mappers.product": (f"{_MAPPERS}:ProductMapper",),
    "airflow.sdk.definitions.partition_mappers.temporal": (
        f"{_MAPPERS}:FanOutMapper StartOfDayMapper StartOfHourMapper StartOfMonthMapper StartOfQuarterMapper "
        "StartOfWeekMapper StartOfYearMapper",
    ),
    "airflow.sdk.definitions.partition_mappers.wait_policy": (f"{_MAPPERS}:MinimumCount WaitForAll",),
    "airflow.sdk.definitions.partition_mappers.window": (
        f"{_MAPPERS}:DayWindow HourWindow MonthWindow QuarterWindow SegmentWindow WeekWindow Window YearWindow",
    ),
    "airflow.sdk.definitions.timetables.assets": (
        "definitions.asset_timetables:AssetOrTimeSchedule PartitionedAssetTimetable",
        f"{_TIMETABLES}.simple:AssetTriggeredTimetable PartitionedAtRuntime",
    ),
    "airflow.sdk.definitions.timetables.events": (f"{_TIMETABLES}.events:EventsTimetable",),
    "airflow.sdk.definitions.timetables.interval": (
        f"{_TIMETABLES}.interval:CronDataIntervalTimetable DeltaDataIntervalTimetable",
    ),
    "airflow.sdk.definitions.timetables.simple": (f"{_TIMETABLES}.simple:ContinuousTimetable NullTimetable OnceTimetable",),
    "airflow.sdk.definitions.timetables.trigger": (
        f"{_TIMETABLES}:CronPartitionTimetable CronTriggerTimetable DeltaTriggerTimetable MultipleCronTriggerTimetable",
    ),
    "airflow.sdk.execution_time.lazy_sequence": ("execution.lazy_sequence:LazyXComSequence",),
    "airflow.sdk.execution_time.secrets_masker": (
        "execution.channel:mask_secret",
        "execution.masking:redact should_hide_value_for_key",
    ),
    "airflow.sdk.execution_time.task_runner": ("execution.runtime_task_instance:RuntimeTaskInstance",),
    "airflow.sdk.execution_time.timeout": ("execution.timeout:timeout timeout=TimeoutPosix",),
    "airflow.sdk.io.fs": (f"{_STORE}:get_fs has_fs",),
    "airflow.sdk.io.typedef": (f"{_STORE}:Properties",),
    "airflow.sdk.listener": ("listeners.registry:ListenerManager get_listener_manager",),
    "airflow.sdk.log": ("execution.channel:amask_secret mask_secret",),
    "airflow.sdk.module_loading": ("name_tables.old_functions:import_string is_valid_dotpath qualname",),
    "airflow.sdk.observability": (),
    "airflow.sdk.observability.stats": ("stats",),
    "airflow.sdk.serde": ("serialization.values:decode=deserialize encode=serialize",),
    "airflow.sdk.yaml": ("name_tables.yaml_text:dump safe_load",),
}

#: More names of modules in the other tables.
MORE_NAMES: dict[str, tuple[str, ...]] = {
    "airflow": ("definitions.asset:Asset=Dataset", "exceptions:AirflowException"),
    "airflow.configuration": ("name_tables.settings:AIRFLOW_HOME get_airflow_home", "configuration:AirflowConfigParser"),
    "airflow.decorators.base": ("definitions.decorated:DecoratedMappedOperator", "decorators:TaskDecoratorCollection"),
    "airflow.exceptions": ("name_tables.server_exceptions",),
    "airflow.io": (f"{_STORE}:Properties attach get_fs has_fs",),
    "airflow.io.typedef": (f"{_STORE}:Properties",),
    "airflow.models": (
        "testing.dag_bag:DagBag",
        "name_tables.defaults:ID_LEN",
        "name_tables.server_models:Base DagModel DagTag DagWarning Deadline HITLDetail Job Log Pool RenderedTaskInstanceFields "
        "TaskReschedule Trigger clear_task_instances",
        "definitions.operator:BaseOperator=Operator",
    ),
    "airflow.models.asset": ("name_tables.server_models:AssetEvent",),
    "airflow.models.dag": ("name_tables.server_models:DagModel DagTag",),
    "airflow.models.operator": ("definitions.operator:BaseOperator",),
    "airflow.models.taskinstance": (
        "definitions.states:TaskInstanceState",
        "definitions.xcom:XCOM_RETURN_KEY",
        "name_tables.server_models:clear_task_instances",
    ),
    "airflow.partition_mappers": (
        f"{_MAPPERS}:AllowedKeyMapper ChainMapper DayWindow FanOutMapper FixedKeyMapper HourWindow IdentityMapper MinimumCount "
        "MonthWindow PartitionMapper ProductMapper QuarterWindow RollupMapper SegmentWindow StartOfDayMapper StartOfHourMapper "
        "StartOfMonthMapper StartOfQuarterMapper StartOfWeekMapper StartOfYearMapper WaitForAll WeekWindow Window YearWindow",
    ),
    "airflow.providers.standard.utils.skipmixin": (
        "name_tables.defaults:XCOM_SKIPMIXIN_FOLLOWED XCOM_SKIPMIXIN_KEY XCOM_SKIPMIXIN_SKIPPED",
    ),
    "airflow.providers.standard.operators.trigger_dagrun": ("operators.trigger_dagrun:XCOM_RUN_ID",),
    "airflow.sdk.bases.decorator": (
        "definitions.decorated:DecoratedMappedOperator",
        "definitions.keyword_parameters:KeywordParameters determine_kwargs",
        "definitions.function_calls:unwrap=unwrap_callable",
    ),
    "airflow.sdk.bases.operator": (
        "definitions.operator_defaults:BaseOperatorMeta",
        _DEFAULTS,
        "name_tables.defaults:DB_SAFE_MAXIMUM DB_SAFE_MINIMUM",
    ),
    "airflow.sdk.bases.skipmixin": ("name_tables.defaults:XCOM_SKIPMIXIN_FOLLOWED XCOM_SKIPMIXIN_KEY XCOM_SKIPMIXIN_SKIPPED",),
    "airflow.sdk.definitions._internal.abstractoperator": (
        _DEFAULTS,
        "name_tables.defaults:MAXIMUM_PRIORITY_WEIGHT MAX_RETRY_DELAY MINIMUM_PRIORITY_WEIGHT",
    ),
    "airflow.sdk.definitions.context": ("definitions.context:AirflowParsingContext",),
    "airflow.sdk.definitions.decorators": ("definitions.decorated:TaskDecorator", "definitions.dag_decorator:dag"),
    "airflow.sdk.definitions.mappedoperator": (_DEFAULTS,),
    "airflow.sdk.execution_time.context": (
        "execution.accessors:ConnectionAccessor VariableAccessor",
        "execution.asset_events:InletEventsAccessors OutletEventAccessors TriggeringAssetEventsAccessor",
        "execution.macros:MacrosAccessor",
        "execution.state_store:AssetStateStoreAccessors TaskStateStoreAccessor",
    ),
    "airflow.sdk.io": (f"{_STORE}:Properties get_fs has_fs",),
    "airflow.settings": ("name_tables.settings:PLUGINS_FOLDER",),
    "airflow.utils.context": (
        "execution.accessors:ConnectionAccessor VariableAccessor",
        "execution.asset_events:OutletEventAccessors",
        "name_tables.old_functions:context_copy_partial",
    ),
    "airflow.utils.email": ("operators.email:addresses=get_email_address_list",),
    "airflow.utils.file": ("testing.dag_bag:list_py_file_paths",),
    "airflow.utils.operator_helpers": ("definitions.keyword_parameters:make_kwargs_callable",),
    "airflow.utils.state": ("definitions.states:JobState",),
    "airflow.utils.types": ("definitions.states:DagRunTriggeredByType",),
    "airflow.utils.weight_rule": ("name_tables.defaults:DB_SAFE_MAXIMUM DB_SAFE_MINIMUM db_safe_priority",),
}
