"""Decides which of our modules stands behind each module of Airflow's.

A table maps the name of an Airflow module to lines of our names:
``"module"`` gives all public names of our module, ``"module:one two"`` gives some, ``"module:ours=theirs"`` renames,
and ``"@module"`` stands for the module itself. Our modules are written without the leading ``orchestrator.sdk.``.
"""

from orchestrator.sdk.name_tables.core import CORE
from orchestrator.sdk.name_tables.less_used import LESS_USED
from orchestrator.sdk.name_tables.sdk import SDK
from orchestrator.sdk.name_tables.sdk_inside import MORE_NAMES, SDK_INSIDE
from orchestrator.sdk.name_tables.standard import STANDARD

TABLE: dict[str, tuple[str, ...]] = {**CORE, **LESS_USED, **SDK, **SDK_INSIDE, **STANDARD}
for _name, _lines in MORE_NAMES.items():
    TABLE[_name] = (*TABLE.get(_name, ()), *_lines)
