"""Decides the wire form of the types every author uses: dates, times, decimals, sets, tuples, UUIDs, arrays and frames."""

from __future__ import annotations

import datetime as dt
import decimal
import re
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

Json = Any
Typed = tuple[str, int, Json]
Inner = Callable[[Any], Any]

VERSIONS = {
    "datetime.datetime": 2,
    "pendulum.datetime.DateTime": 2,
    "datetime.date": 2,
    "pendulum.date.Date": 2,
    "datetime.timedelta": 2,
}

FRAME = "pandas.core.frame.DataFrame"
_NUMPY_SCALAR = re.compile(r"bool_?|u?int(8|16|32|64)|float(16|32|64)")

# Our modules, and single classes in them, that carry Airflow's names on the wire.
ASSETS = "orchestrator.sdk.definitions.asset"
PUBLIC_NAMES = {
    "orchestrator.sdk.definitions.connection": "airflow.sdk.definitions.connection",
    ASSETS: "airflow.sdk.definitions.asset",
    f"{ASSETS}:AssetAccessControl": "airflow.sdk.definitions.asset.access_control",
    "orchestrator.sdk.definitions.object_storage": "airflow.sdk.io.path",
}


def encode(value: Any, inner: Inner) -> Typed | None:
    """Return name, format and JSON of the value, None if its type is not known here."""
    if isinstance(value, tuple | set | frozenset):
        kind = next(kind for kind in (tuple, set, frozenset) if isinstance(value, kind))
        return f"builtins.{kind.__name__}", 1, [inner(item) for item in value]
    if isinstance(value, dt.datetime):
        name = "datetime.datetime" if type(value) is dt.datetime else "pendulum.datetime.DateTime"
        return name, 2, {"timestamp": _timestamp(value), "tz": _encode_zone(value.tzinfo, value, inner)}
    if isinstance(value, dt.date):
        return ("datetime.date" if type(value) is dt.date else "pendulum.date.Date"), 2, value.isoformat()[:10]
    if type(value) is dt.timedelta:
        return "datetime.timedelta", 2, value.total_seconds()
    if isinstance(value, decimal.Decimal):
        whole = value.is_finite() and int(value.as_tuple().exponent) >= 0
        return "decimal.Decimal", 1, int(value) if whole else float(value)
    if isinstance(value, uuid.UUID):
        return "uuid.UUID", 1, str(value)
    if isinstance(value, zoneinfo.ZoneInfo) or type(value).__module__ == "pendulum.tz.timezone":
        return f"{type(value).__module__.removesuffix('._zoneinfo')}.{type(value).__name__}", 1, _zone_key(value)
    if type(value).__module__ == ASSETS and hasattr(value, "watchers"):
        parts = ("name", "uri", "group", "extra", "watchers", "access_control")
        return f"airflow.sdk.definitions.asset.{type(value).__name__}", 1, {part: inner(getattr(value, part)) for part in parts}
    return _encode_scientific(value)


def decoder_of(name: str) -> Callable[[str, int, Json, Inner], Any] | None:
    """Return the function that reads values of this class, None if it is not known here."""
    return _DECODERS.get(name) or (_decode_numpy_scalar if name.startswith("numpy.") else None)


def decode_legacy(document: dict[str, Json], inner: Inner) -> Any:
    """Read the ``{"__type", "__var"}`` form that older stored values have."""
    kind, payload = document["__type"], document["__var"]
    if kind == "datetime":
        return dt.datetime.fromtimestamp(payload, dt.UTC)
    if kind == "timedelta":
        return dt.timedelta(seconds=payload)
    if kind == "tuple":
        return tuple(inner(item) for item in payload)
    if kind == "set":
        return {inner(item) for item in payload}
    return inner(payload)


def _timestamp(value: dt.datetime) -> float:
    # A naive instant is written as if it were UTC, so that it does not depend on the worker's zone.
    return value.timestamp() if value.tzinfo else value.replace(tzinfo=dt.UTC).timestamp()


def _zone_key(zone: Any) -> Json:
    name = getattr(zone, "key", None) or getattr(zone, "name", None)
    offset = zone.utcoffset(None)
    if type(zone).__name__ == "FixedTimezone":
        return int(offset.total_seconds()) or "UTC"
    return name


def _encode_zone(zone: Any, value: dt.datetime, inner: Inner) -> Json:
    if zone is None:
        return None
    if isinstance(zone, dt.timezone):
        seconds = int((zone.utcoffset(None)).total_seconds())
        return inner((seconds if seconds else "UTC", "pendulum.tz.timezone.FixedTimezone", 1, True))
    module = type(zone).__module__.removesuffix("._zoneinfo")
    key = (
        _zone_key(zone)
        if hasattr(zone, "key") or hasattr(zone, "name")
        else int((value.utcoffset() or dt.timedelta()).total_seconds())
    )
    return inner((key, f"{module}.{type(zone).__qualname__}", 1, True))


def _decode_zone(payload: Json, inner: Inner) -> Any:
    import pendulum

    key = inner(payload)
    key = key[0] if isinstance(key, tuple | list) else key
    return pendulum.timezone(key)


def _decode_datetime(name: str, version: int, payload: Json, inner: Inner) -> dt.datetime:
    if version == 1 or isinstance(payload, dict):
        stamp, zone = payload["timestamp"], payload.get("tz")
    else:
        stamp, zone = payload, None
    instant = dt.datetime.fromtimestamp(stamp, dt.UTC)
    if name.startswith("pendulum"):
        import pendulum

        return pendulum.instance(instant).in_timezone(_decode_zone(zone, inner) if zone is not None else "UTC")
    return instant.astimezone(_decode_zone(zone, inner)) if zone is not None else instant.replace(tzinfo=None)


def _decode_date(name: str, version: int, payload: Json, inner: Inner) -> dt.date:
    day = dt.date.fromisoformat(payload)
    if name.startswith("datetime"):
        return day
    import pendulum

    return pendulum.date(day.year, day.month, day.day)


def _encode_scientific(value: Any) -> Typed | None:
    module, kind = type(value).__module__.partition(".")[0], type(value).__name__
    if module == "numpy":
        if kind == "ndarray":
            return "numpy.ndarray", 1, value.tolist()
        if _NUMPY_SCALAR.fullmatch(kind):
            return f"numpy.{kind}", 1, value.item()
    if module == "pandas" and kind == "DataFrame":
        return FRAME, 1, _frame_hex(value)
    return None


def _frame_hex(frame: Any) -> str:
    """Return the frame as Parquet in hexadecimal digits; raises ``ImportError`` without pyarrow."""
    import pyarrow  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from pyarrow import parquet  # type: ignore[import-not-found,import-untyped,unused-ignore]

    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pandas(frame), sink, compression="snappy")
    return str(sink.getvalue().to_pybytes().hex().upper())


def _decode_numpy_scalar(name: str, version: int, payload: Json, inner: Inner) -> Any:
    import numpy  # type: ignore[import-not-found,unused-ignore]

    kind = name.rpartition(".")[2].rstrip("_") + ("_" if name.endswith(("bool", "bool_")) else "")
    return numpy.array(payload) if kind == "ndarray" else getattr(numpy, kind)(payload)


def _decode_frame(name: str, version: int, payload: Json, inner: Inner) -> Any:
    from io import BytesIO

    from pyarrow import parquet

    return parquet.read_table(BytesIO(bytes.fromhex(payload))).to_pandas()


def _decode_connection(name: str, version: int, payload: Json, inner: Inner) -> Any:
    from orchestrator.sdk.definitions.connection import Connection

    return Connection(**inner(payload))


def _decode_asset(name: str, version: int, payload: Json, inner: Inner) -> Any:
    from orchestrator.sdk.definitions import asset

    # Watchers and access rules are part of the definition; a value read back does not define the asset.
    known = {key: inner(item) for key, item in payload.items() if key in ("name", "uri", "group", "extra")}
    return getattr(asset, name.rpartition(".")[2])(**known)


_DECODERS: dict[str, Callable[[str, int, Json, Inner], Any]] = {
    "builtins.tuple": lambda name, version, payload, inner: tuple(inner(item) for item in payload),
    "builtins.set": lambda name, version, payload, inner: {inner(item) for item in payload},
    "builtins.frozenset": lambda name, version, payload, inner: frozenset(inner(item) for item in payload),
    "datetime.datetime": _decode_datetime,
    "pendulum.datetime.DateTime": _decode_datetime,
    "datetime.date": _decode_date,
    "pendulum.date.Date": _decode_date,
    "datetime.timedelta": lambda name, version, payload, inner: dt.timedelta(seconds=payload),
    "decimal.Decimal": lambda name, version, payload, inner: decimal.Decimal(str(payload)),
    "uuid.UUID": lambda name, version, payload, inner: uuid.UUID(payload),
    "zoneinfo.ZoneInfo": lambda name, version, payload, inner: zoneinfo.ZoneInfo(payload),
    "pendulum.tz.timezone.Timezone": lambda name, version, payload, inner: _decode_zone(payload, inner),
    "pendulum.tz.timezone.FixedTimezone": lambda name, version, payload, inner: _decode_zone(payload, inner),
    FRAME: _decode_frame,
    "airflow.sdk.definitions.connection.Connection": _decode_connection,
    "airflow.sdk.definitions.asset.Asset": _decode_asset,
    "airflow.sdk.definitions.asset.AssetUniqueKey": _decode_asset,
}
