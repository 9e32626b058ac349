"""Decides what stands behind the modules of ``airflow.providers.standard`` and the e-mail operator of ``smtp``."""

_OPERATORS = "airflow.providers.standard.operators"
_SENSORS = "airflow.providers.standard.sensors"
_TRIGGERS = "airflow.providers.standard.triggers"
_DECORATORS = "airflow.providers.standard.decorators"

STANDARD: dict[str, tuple[str, ...]] = {
    "airflow.providers.standard": ("name_tables.version:STANDARD_VERSION=__version__",),
    "airflow.providers.standard.exceptions": ("standard_exceptions",),
    "airflow.providers.standard.hooks": (),
    "airflow.providers.standard.hooks.filesystem": ("hooks.filesystem:FSHook",),
    "airflow.providers.standard.hooks.package_index": ("hooks.package_index:PackageIndexHook",),
    "airflow.providers.standard.hooks.subprocess": ("hooks.subprocess:SubprocessHook SubprocessResult working_directory",),
    "airflow.providers.standard.utils": (),
    "airflow.providers.standard.utils.skipmixin": ("definitions.skipmixin:SkipMixin",),
    "airflow.providers.standard.utils.weekday": ("definitions.weekdays:WeekDay",),
    _OPERATORS: (),
    f"{_OPERATORS}.bash": ("operators.bash:BashOperator",),
    f"{_OPERATORS}.branch": ("operators.branch:BaseBranchOperator BranchMixIn",),
    f"{_OPERATORS}.datetime": ("operators.datetime:BranchDateTimeOperator target_times_as_dates",),
    f"{_OPERATORS}.empty": ("operators.empty:EmptyOperator",),
    f"{_OPERATORS}.hitl": ("operators.hitl:ApprovalOperator HITLBranchOperator HITLEntryOperator HITLOperator",),
    f"{_OPERATORS}.latest_only": ("operators.latest_only:LatestOnlyOperator",),
    f"{_OPERATORS}.python": (
        "operators.python:BranchPythonOperator PythonOperator ShortCircuitOperator get_current_context",
        "operators.virtualenv:BranchExternalPythonOperator BranchPythonVirtualenvOperator ExternalPythonOperator "
        "PythonVirtualenvOperator",
    ),
    f"{_OPERATORS}.smooth": ("operators.smooth:SmoothOperator",),
    f"{_OPERATORS}.trigger_dagrun": ("operators.trigger_dagrun:DagIsPaused TriggerDagRunLink TriggerDagRunOperator",),
    f"{_OPERATORS}.weekday": ("operators.weekday:BranchDayOfWeekOperator",),
    _SENSORS: (),
    f"{_SENSORS}.bash": ("sensors.bash:BashSensor",),
    f"{_SENSORS}.date_time": ("sensors.date_time:DateTimeSensor DateTimeSensorAsync",),
    f"{_SENSORS}.external_task": ("sensors.external_task:ExternalDagLink ExternalTaskMarker ExternalTaskSensor",),
    f"{_SENSORS}.filesystem": ("sensors.filesystem:FileSensor",),
    f"{_SENSORS}.python": ("sensors.python:PythonSensor",),
    f"{_SENSORS}.time": ("sensors.time:TimeSensor TimeSensorAsync",),
    f"{_SENSORS}.time_delta": ("sensors.time_delta:TimeDeltaSensor TimeDeltaSensorAsync WaitSensor",),
    f"{_SENSORS}.weekday": ("sensors.weekday:DayOfWeekSensor",),
    _TRIGGERS: (),
    f"{_TRIGGERS}.external_task": ("triggers.external_task:DagStateTrigger WorkflowTrigger",),
    f"{_TRIGGERS}.file": ("triggers.file:DirectoryFileDeleteTrigger FileDeleteTrigger FileTrigger",),
    f"{_TRIGGERS}.hitl": ("triggers.hitl:HITLTrigger",),
    f"{_TRIGGERS}.temporal": ("triggers.temporal:DateTimeTrigger TimeDeltaTrigger",),
    _DECORATORS: (),
    f"{_DECORATORS}.bash": ("decorators.bash:_BashDecoratedOperator",),
    f"{_DECORATORS}.python": ("decorators.python:_PythonDecoratedOperator",),
    f"{_DECORATORS}.sensor": ("decorators.sensor:DecoratedSensorOperator",),
    "airflow.providers.common.compat": (),
    "airflow.providers.common.compat.sdk": ("@", "exceptions", "definitions.sentinels:NOTSET ArgNotSet is_arg_set"),
    "airflow.providers.common.compat.assets": ("definitions.asset:Asset AssetAlias AssetAll AssetAny",),
    "airflow.providers.common.compat.standard": (),
    "airflow.providers.common.compat.standard.operators": (
        "operators.python:PythonOperator ShortCircuitOperator get_current_context",
        "operators.virtualenv:PythonVirtualenvOperator",
    ),
    "airflow.providers.common.compat.standard.triggers": ("triggers.temporal:TimeDeltaTrigger",),
    "airflow.providers.common.compat.standard.utils": (),
    "airflow.providers.smtp": (),
    "airflow.providers.smtp.operators": (),
    "airflow.providers.smtp.operators.smtp": ("operators.email:EmailOperator",),
}
