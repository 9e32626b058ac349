"""Decides how the address of a page names a run: a slash in the run's id, which a path cannot carry, is written %2F."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class RunIdConverter(StringConverter):
    """The id of a run; only ids with a slash, or with %25 or %2F, look different in an address."""

    def to_python(self, value: str) -> str:
        """Return the id that an address means."""
        return value.replace("%2F", "/").replace("%25", "%")

    def to_url(self, value: str) -> str:
        """Return the id as it stands in an address, before what every address quotes."""
        return in_path(value)


def in_path(run_id: str) -> str:
    """Return the id of a run as the path of its page has it."""
    return run_id.replace("%", "%25").replace("/", "%2F")


register_converter(RunIdConverter, "run_id")
RUN = "dags/<str:dag_id>/runs/<run_id:run_id>"
