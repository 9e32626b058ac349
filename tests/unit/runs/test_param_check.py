"""Values that do not fit the params of a DAG are refused in the words of Airflow."""

import pytest

from runs.param_check import ParamsInvalidError, check_params

TEXT = "Invalid input for param p: 1000 is greater than the maximum of 128\n\nFailed validating 'maximum' in schema:\n"


def test_a_refusal_shows_the_schema_with_shorter_keys_first() -> None:
    schema = {"description_md": "d", "maximum": 128, "minimum": 0, "section": "s", "title": "t", "type": "integer"}
    with pytest.raises(ParamsInvalidError) as refused:
        check_params({"p": {"value": 42, "schema": schema}}, {"p": 1000})
    keys = ["'type': 'integer'", "'title': 't'", "'maximum': 128", "'minimum': 0", "'section': 's'", "'description_md': 'd'"]
    assert str(refused.value).startswith(TEXT)
    places = [str(refused.value).index(key) for key in keys]
    assert places == sorted(places)
