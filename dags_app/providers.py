"""Decides which providers there are: ours, and the packages that are installed beside us, read without importing them."""

from __future__ import annotations

from functools import lru_cache

from orchestrator.version import VERSION

_PREFIX = "apache-airflow-providers-"
_OURS = {
    "standard": "The operators, sensors, triggers and hooks of Airflow's standard provider, part of this platform.",
    "smtp": "E-mail: EmailOperator and the SMTP notifier, part of this platform.",
    "git": "GitDagBundle: DAG files from a git repository, part of this platform.",
}


@lru_cache(maxsize=1)
def installed_providers() -> list[dict[str, str | None]]:
    """Return name, version, description and documentation of each provider, by name; read once per process."""
    from importlib import metadata

    found: dict[str, dict[str, str | None]] = {
        f"{_PREFIX}{name}": _provider(f"{_PREFIX}{name}", VERSION, text, None) for name, text in _OURS.items()
    }
    for package in metadata.distributions():
        name = (package.metadata["Name"] or "").lower().replace("_", "-")
        if name.startswith(_PREFIX) and name not in found:
            address = package.metadata["Home-page"] or _documentation(package.metadata.get_all("Project-URL") or [])
            found[name] = _provider(name, package.version, package.metadata["Summary"] or "", address)
    return [found[name] for name in sorted(found)]


def _provider(name: str, version: str, text: str, address: str | None) -> dict[str, str | None]:
    return {"package_name": name, "version": version, "description": text, "documentation_url": address}


def _documentation(addresses: list[str]) -> str | None:
    for line in addresses:
        label, _, address = line.partition(",")
        if label.strip().lower() == "documentation":
            return address.strip()
    return None
