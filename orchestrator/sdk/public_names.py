"""Decides where each name of ``airflow.sdk`` lives here: ``module:attribute``, or a module alone."""

_ASSETS = "Asset AssetAccessControl AssetAlias AssetAll AssetAny AssetWatcher Metadata"
_TIMETABLES = (
    "CronDataIntervalTimetable CronPartitionTimetable CronTriggerTimetable DeltaDataIntervalTimetable DeltaTriggerTimetable "
    "EventsTimetable MultipleCronTriggerTimetable PartitionedAtRuntime"
)
_PARTITIONS = (
    "AllowedKeyMapper ChainMapper DayWindow FanOutMapper FixedKeyMapper HourWindow IdentityMapper MinimumCount MonthWindow "
    "PartitionMapper ProductMapper QuarterWindow RollupMapper SegmentWindow StartOfDayMapper StartOfHourMapper "
    "StartOfMonthMapper StartOfQuarterMapper StartOfWeekMapper StartOfYearMapper WaitForAll WeekWindow Window YearWindow"
)

#: Module -> names in it.
_BY_MODULE = {
    "definitions.asset": _ASSETS,
    "definitions.asset_decorator": "asset",
    "definitions.asset_timetables": "AssetOrTimeSchedule PartitionedAssetTimetable",
    "definitions.partition_mappers": _PARTITIONS,
    "definitions.timetables": _TIMETABLES,
    "definitions.callback": "AsyncCallback SyncCallback",
    "definitions.deadline": "BaseDeadlineReference DeadlineAlert DeadlineReference deadline_reference",
    "definitions.retry_policy": "ExceptionRetryPolicy RetryAction RetryDecision RetryPolicy RetryRule",
    "definitions.resumable": "ResumableJobMixin",
    "definitions.async_operator": "BaseAsyncOperator",
    "definitions.operator": "BaseOperator",
    "operators.branch": "BaseBranchOperator",
    "definitions.skipmixin": "BranchMixIn SkipMixin",
    "hooks.base": "BaseHook",
    "definitions.notifier": "BaseNotifier",
    "definitions.operator_link": "BaseOperatorLink",
    "sensors.base": "BaseSensorOperator PokeReturnValue",
    "definitions.xcom": "BaseXCom",
    "definitions.connection": "Connection",
    "definitions.variable": "Variable",
    "definitions.context": "Context get_current_context get_parsing_context",
    "definitions.dag": "DAG",
    "definitions.dag_decorator": "dag",
    "definitions.shown_words": "DagRunState TaskInstanceState TriggerRule WeightRule",
    "definitions.edges": "EdgeModifier Label chain chain_linear cross_downstream",
    "definitions.param": "Param ParamsDict",
    "definitions.task_group": "TaskGroup",
    "definitions.task_group_decorator": "task_group",
    "definitions.xcom_arg": "XComArg",
    "definitions.state_store": "NEVER_EXPIRE",
    "definitions.task_instance": "TaskInstance",
    "definitions.object_storage": "ObjectStoragePath",
    "execution.templating.templater": "literal",
    "decorators": "result setup task teardown",
    "configuration": "conf",
}

NAMES = {name: f"{module}:{name}" for module, names in _BY_MODULE.items() for name in names.split()}
NAMES["macros"] = "execution.macros"
NAMES["lineage"] = "definitions.lineage"
