"""Decides what an asset is, and how assets are put together in the condition of a schedule."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

MAX_LENGTH = 1500


class BaseAsset:
    """Everything that can be part of an asset condition."""

    def __or__(self, other: BaseAsset) -> BaseAsset:
        return AssetAny(self, other) if isinstance(other, BaseAsset) else NotImplemented

    def __and__(self, other: BaseAsset) -> BaseAsset:
        return AssetAll(self, other) if isinstance(other, BaseAsset) else NotImplemented

    def serialize(self) -> dict[str, Any]:
        """Return the thing as JSON types with a ``type``."""
        raise NotImplementedError

    def iter_assets(self) -> Iterator[Asset]:
        """Return the assets in it."""
        return iter(())


@dataclass(frozen=True)
class AssetUniqueKey:
    """Name and URI of an asset."""

    name: str
    uri: str

    @classmethod
    def from_asset(cls, asset: Asset) -> AssetUniqueKey:
        """Return the key of an asset."""
        return cls(asset.name, asset.uri)

    def to_asset(self) -> Asset:
        """Return an asset with this key."""
        return Asset(name=self.name, uri=self.uri)


@dataclass
class AssetAccessControl:
    """Which teams may write and read an asset."""

    producer_teams: list[str] = field(default_factory=list)
    consumer_teams: list[str] | None = None
    allow_global: bool = True

    def serialize(self) -> dict[str, Any]:
        """Return the parts by name."""
        return {
            "producer_teams": list(self.producer_teams),
            "consumer_teams": self.consumer_teams,
            "allow_global": self.allow_global,
        }


class AssetWatcher:
    """A trigger whose events update an asset."""

    def __init__(self, name: str, trigger: Any) -> None:
        from orchestrator.sdk.triggers.base import BaseEventTrigger

        if not isinstance(trigger, BaseEventTrigger):
            raise ValueError(f"AssetWatcher {name!r} takes a BaseEventTrigger, not {type(trigger).__name__}")
        self.name, self.trigger = name, trigger

    def serialize(self) -> dict[str, Any]:
        """Return name and trigger."""
        from orchestrator.sdk.serialization.values import encode

        path, arguments = self.trigger.serialize()
        return {"name": self.name, "trigger": {"classpath": path, "kwargs": encode(arguments)}}


class Asset(os.PathLike[str], BaseAsset):
    """A piece of data by name and URI; one of the two is enough."""

    asset_type = "asset"

    def __init__(
        self,
        name: str | None = None,
        uri: Any = None,
        *,
        group: str | None = None,
        extra: dict[str, Any] | None = None,
        watchers: list[AssetWatcher] | None = None,
        access_control: AssetAccessControl | None = None,
    ) -> None:
        if name is None and uri is None:
            raise TypeError("Asset() requires either 'name' or 'uri'")
        text = None if uri is None else os.fspath(uri) if isinstance(uri, os.PathLike) else str(uri)
        self.name = _checked(name if name is not None else str(text), "name")
        self.uri = _normalized(_checked(text if text is not None else self.name, "uri"))
        self.group = self.asset_type if group is None else _checked(group, "group") if group else ""
        self.extra = dict(extra or {})
        self.watchers = list(watchers or [])
        self.access_control = access_control or AssetAccessControl()

    def __repr__(self) -> str:
        parts = ("name", "uri", "group", "extra", "watchers", "access_control")
        return f"{type(self).__name__}({', '.join(f'{part}={getattr(self, part)!r}' for part in parts)})"

    def __fspath__(self) -> str:
        return self.uri

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Asset):
            return NotImplemented
        mine = (self.name, self.uri, self.group, self.extra)
        return mine == (other.name, other.uri, other.group, other.extra)

    def __hash__(self) -> int:
        return hash((self.name, self.uri))

    @property
    def normalized_uri(self) -> str | None:
        """Return the URI where the installed providers know what its form means: that of a file."""
        return self.uri if urlsplit(self.uri).scheme == "file" else None

    @staticmethod
    def ref(*, name: str = "", uri: str = "") -> AssetRef:
        """Return a reference to an asset that is defined elsewhere, by name or by URI."""
        if bool(name) == bool(uri):
            raise TypeError("Asset.ref() takes the argument name or the argument uri" + (", not both" if name else ""))
        return AssetNameRef(name) if name else AssetUriRef(uri)

    def iter_assets(self) -> Iterator[Asset]:
        """Return the asset itself."""
        yield self

    def serialize(self) -> dict[str, Any]:
        """Return all parts."""
        document: dict[str, Any] = {"type": "asset", "name": self.name, "uri": self.uri, "group": self.group, "extra": self.extra}
        if self.watchers:
            document["watchers"] = [watcher.serialize() for watcher in self.watchers]
        if self.access_control != AssetAccessControl():
            document["access_control"] = self.access_control.serialize()
        return document


class Dataset(Asset):
    """An asset in the group ``dataset``."""

    asset_type = "dataset"


class Model(Asset):
    """An asset in the group ``model``."""

    asset_type = "model"


class AssetRef(BaseAsset):
    """A reference to an asset that is defined elsewhere."""


@dataclass(frozen=True)
class AssetNameRef(AssetRef):
    """A reference by name."""

    name: str

    def serialize(self) -> dict[str, Any]:
        """Return the name."""
        return {"type": "asset_ref", "name": self.name}


@dataclass(frozen=True)
class AssetUriRef(AssetRef):
    """A reference by URI."""

    uri: str

    def serialize(self) -> dict[str, Any]:
        """Return the URI."""
        return {"type": "asset_ref", "uri": self.uri}


class AssetAlias(BaseAsset):
    """A name that stands for assets which a task names when it runs."""

    def __init__(self, name: str, *, group: str = "asset") -> None:
        self.name, self.group = _checked(name, "name", "AssetAlias"), group

    def __repr__(self) -> str:
        return f"AssetAlias(name={self.name!r}, group={self.group!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetAlias) and (self.name, self.group) == (other.name, other.group)

    def __hash__(self) -> int:
        return hash((self.name, self.group))

    def serialize(self) -> dict[str, Any]:
        """Return name and group."""
        return {"type": "asset_alias", "name": self.name, "group": self.group}


class AssetBooleanCondition(BaseAsset):
    """Several assets joined by one word."""

    word = ""

    def __init__(self, *objects: BaseAsset) -> None:
        wrong = [item for item in objects if not isinstance(item, BaseAsset)]
        if wrong:
            raise TypeError(f"expect asset expressions in condition, got {type(wrong[0]).__name__}")
        self.objects = list(objects)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.objects))})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.objects == other.objects

    def __hash__(self) -> int:
        return hash((self.word, tuple(self.objects)))

    def iter_assets(self) -> Iterator[Asset]:
        """Return the assets in it."""
        for item in self.objects:
            yield from item.iter_assets()

    def serialize(self) -> dict[str, Any]:
        """Return word and parts."""
        return {"type": self.word, "objects": [item.serialize() for item in self.objects]}


class AssetAny(AssetBooleanCondition):
    """True when one of the assets is updated."""

    word = "asset_any"

    def __or__(self, other: BaseAsset) -> BaseAsset:
        return AssetAny(*self.objects, other) if isinstance(other, BaseAsset) else NotImplemented


class AssetAll(AssetBooleanCondition):
    """True when all of the assets are updated."""

    word = "asset_all"

    def __and__(self, other: BaseAsset) -> BaseAsset:
        return AssetAll(*self.objects, other) if isinstance(other, BaseAsset) else NotImplemented


@dataclass
class Metadata:
    """What a task may yield about an asset it has written."""

    asset: Any
    extra: dict[str, Any] = field(default_factory=dict)
    alias: AssetAlias | None = None


def _checked(text: str, what: str, kind: str = "Asset") -> str:
    if not isinstance(text, str):
        raise ValueError(f"{kind} {what} must be a str, not {type(text).__name__} {text!r}")
    if not text or text.isspace():
        raise ValueError(f"{kind} {what} cannot be {'just whitespace' if text else 'empty'}")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"{kind} {what} cannot exceed {MAX_LENGTH} characters")
    return text


def _normalized(uri: str) -> str:
    """Return the URI with a lower-case scheme, a path, a sorted query and no fragment; a name that is no URI stays.

    A password is left out, with a warning. Raises ``ValueError`` for the scheme ``airflow``.
    """
    parts = urlsplit(uri)
    scheme = parts.scheme.lower()
    if not scheme or scheme.startswith("x-"):
        return uri
    if scheme == "airflow":
        raise ValueError("Asset scheme 'airflow' is reserved")
    netloc = parts.netloc
    if parts.password:
        warnings.warn("The URI of an asset should hold no password: its user and password are left out.", stacklevel=3)
        netloc = netloc.rpartition("@")[2]
    query = urlencode(sorted(parse_qsl(parts.query)))
    return urlunsplit((scheme, netloc, parts.path.rstrip("/") or "/", query, ""))
