"""Decides the words of ``airflow.security.permissions`` that DAG files use in ``access_control``."""

ACTION_CAN_CREATE = "can_create"
ACTION_CAN_READ = "can_read"
ACTION_CAN_EDIT = "can_edit"
ACTION_CAN_DELETE = "can_delete"
ACTION_CAN_ACCESS_MENU = "menu_access"
DEPRECATED_ACTION_CAN_DAG_READ = "can_dag_read"
DEPRECATED_ACTION_CAN_DAG_EDIT = "can_dag_edit"
DAG_ACTIONS = {ACTION_CAN_READ, ACTION_CAN_EDIT, ACTION_CAN_DELETE}

RESOURCE_DAG = "DAGs"
RESOURCE_DAG_PREFIX = "DAG:"
RESOURCE_DAG_RUN = "DAG Runs"
RESOURCE_DAG_RUN_PREFIX = "DAG Run:"
RESOURCE_TASK_INSTANCE = "Task Instances"
RESOURCE_TASK_LOG = "Task Logs"
RESOURCE_CONNECTION = "Connections"
RESOURCE_VARIABLE = "Variables"
RESOURCE_POOL = "Pools"
RESOURCE_XCOM = "XComs"
RESOURCE_ASSET = "Assets"


def resource_name(dag_id: str, resource: str) -> str:
    """Return what a permission on a DAG (or its runs) is written as."""
    prefixes = {RESOURCE_DAG: RESOURCE_DAG_PREFIX, RESOURCE_DAG_RUN: RESOURCE_DAG_RUN_PREFIX}
    if dag_id in prefixes or dag_id.startswith(tuple(prefixes.values())):
        return dag_id
    return f"{prefixes[resource]}{dag_id}"
