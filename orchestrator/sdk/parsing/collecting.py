"""Decides which DAGs a file defines and what is wrong with them."""

from __future__ import annotations

import logging
import time
from typing import Any

from orchestrator.sdk.parsing.failures import describe, describe_dag
from orchestrator.sdk.parsing.importing import import_file, import_zip, module_name
from orchestrator.sdk.parsing.protocol import ParseRequest, ParseResponse
from orchestrator.sdk.parsing.validation import problems
from orchestrator.sdk.serialization.spec import to_json


def collect(request: ParseRequest, source: bytes, response: ParseResponse) -> None:
    """Import the file and fill ``dags``, ``import_error`` and ``seconds`` of the response; never raises."""
    started = time.monotonic()
    errors: list[str] = []
    try:
        for dag in _find_dags(request, source):
            _add(dag, request, response, errors)
    except BaseException as error:
        errors.append(describe(error, request))
    response.import_error = "\n".join(errors)
    response.seconds = round(time.monotonic() - started, 6)


def _find_dags(request: ParseRequest, source: bytes) -> list[Any]:
    """Return the DAG objects at the top level of the file and those registered by ``with DAG`` and ``@dag``."""
    from orchestrator.sdk.definitions.collect import dags_in_order
    from orchestrator.sdk.definitions.contexts import DagContext, reset

    reset()
    DagContext.current_autoregister_module_name = module_name(request.path)
    modules = list(import_zip(request.path)) if request.path.endswith(".zip") else [import_file(request.path, source)]
    values = (value for module in modules for value in list(vars(module).values()))
    return dags_in_order((dag for dag, _ in DagContext.autoregistered_dags), values)


def _add(dag: Any, request: ParseRequest, response: ParseResponse, errors: list[str]) -> None:
    """Serialize and check one DAG; its error leaves the other DAGs of the file alone."""
    from orchestrator.sdk import policies
    from orchestrator.sdk.exceptions import AirflowClusterPolicySkipDag
    from orchestrator.sdk.plugins.tries import plan_tries
    from orchestrator.sdk.serialization.encode import encode_dag

    name = str(getattr(dag, "dag_id", "?"))
    try:
        policies.apply_to_dag(dag)
        spec = encode_dag(dag)
        plan_tries(dag, spec)
        spec.fileloc, spec.relative_fileloc = request.path, request.relative_fileloc
        found = problems(spec)
        if not found:
            _keep(to_json(spec), request, response)
    except AirflowClusterPolicySkipDag as reason:
        logging.getLogger(__name__).info("DAG %s is skipped by a cluster policy: %s", name, reason)
        return
    except BaseException as error:
        errors.append(describe_dag(error, name, request))
        return
    errors.extend(f"{request.path}: DAG {name!r}: {problem}" for problem in found)


def _keep(document: dict[str, Any], request: ParseRequest, response: ParseResponse) -> None:
    """Add a DAG; of two with one id in a file the later one counts, as in Airflow, and a warning says so."""
    others = [other for other in response.dags if other["dag_id"] != document["dag_id"]]
    if len(others) < len(response.dags):
        text = f"{request.path}: the dag_id {document['dag_id']!r} is defined twice in this file; only the later one counts"
        response.warnings.append(text)
        response.repeated.append(document["dag_id"])
    response.dags = [*others, document]
