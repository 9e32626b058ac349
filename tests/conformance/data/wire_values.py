"""Decides which values show the wire form of XComs; written by Airflow 3.3.2 when the facts were recorded."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import uuid
import zoneinfo

import attrs
import pendulum

try:
    import pydantic
except ImportError:
    pydantic = None
try:
    import numpy as np
except ImportError:
    np = None
try:
    import pandas as pd
except ImportError:
    pd = None


@dataclasses.dataclass
class D:
    a: int
    b: list


@attrs.define
class A:
    x: int
    y: str = "q"


class E(enum.Enum):
    ONE = 1
    TWO = "two"


class SE(str, enum.Enum):  # noqa: UP042
    S = "s"


class IE(enum.IntEnum):
    THREE = 3


class Own:
    __version__ = 3

    def __init__(self, v):
        self.v = v

    def serialize(self):
        return {"v": self.v}

    @staticmethod
    def deserialize(d, version):
        return Own(d["v"])

    def __eq__(self, o):
        return self.v == o.v


NT = collections.namedtuple("NT", "p q")


class Str(str):
    pass


CASES = {
    "int": 1,
    "float": 1.5,
    "none": None,
    "str": "é",
    "list": [1, "a"],
    "dict": {"a": 1, 2: 3},
    "tuple": (1, 2),
    "set": {1},
    "frozenset": frozenset([1]),
    "nested": {"t": ((1,), {"x": (2,)})},
    "dt_utc": dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC),
    "dt_naive": dt.datetime(2026, 1, 2, 3, 4, 5),
    "dt_off": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    "dt_zone": dt.datetime(2026, 7, 2, 3, 4, 5, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    "dt_zutc": dt.datetime(2026, 7, 2, 3, 4, 5, tzinfo=zoneinfo.ZoneInfo("UTC")),
    "pend": pendulum.datetime(2026, 1, 2, 3, tz="Europe/Paris"),
    "pend_utc": pendulum.datetime(2026, 1, 2),
    "pend_off": pendulum.datetime(2026, 1, 2, tz=pendulum.FixedTimezone(3600)),
    "date": dt.date(2026, 1, 2),
    "pdate": pendulum.date(2026, 1, 2),
    "time": dt.time(1, 2, 3),
    "delta": dt.timedelta(days=1, seconds=2.5),
    "pdur": pendulum.duration(days=2),
    "dec": decimal.Decimal("1.10"),
    "dec_int": decimal.Decimal("3"),
    "dec_big": decimal.Decimal("12345678901234567890.123"),
    "dec_nan": decimal.Decimal("NaN"),
    "dec_exp": decimal.Decimal("1E+3"),
    "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "bytes": b"ab",
    "bytearray": bytearray(b"a"),
    "complex": 1j,
    "D": D(1, [D(2, [])]),
    "A": A(3),
    "E1": E.ONE,
    "SE": SE.S,
    "IE": IE.THREE,
    "Own": Own(4),
    "NT": NT(1, 2),
    "Str": Str("z"),
    "path": pathlib.PurePosixPath("/x"),
    "zone": zoneinfo.ZoneInfo("Asia/Tokyo"),
    "ptz": pendulum.timezone("Asia/Tokyo"),
    "pftz": pendulum.FixedTimezone(3600),
    "dtz": dt.UTC,
    "A_nested": A(A(1), D(1, [])),
    "D_dt": D(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), [A(1)]),
    "nan": float("nan"),
    "inf": float("inf"),
    "od": collections.OrderedDict(a=1),
    "dd": collections.defaultdict(int, a=1),
    "deque": collections.deque([1]),
    "range": range(3),
    "gen": (i for i in [1]),
    "type": int,
    "func": len,
    "exc": ValueError("x"),
    "reserved": {"__classname__": "a"},
    "reserved2": {"__id__": "a"},
    "reserved3": {"__version__": 1},
    "reserved4": {"__type": "datetime", "__var": 1.0},
}
if pydantic:

    class M(pydantic.BaseModel):
        a: int
        t: dt.datetime | None = None

    CASES["M"] = M(a=1)
    CASES["M2"] = M(a=1, t=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

    @pydantic.dataclasses.dataclass
    class PD:
        a: int

    CASES["PD"] = PD(a=1)
if np is not None:
    CASES.update(
        np_i=np.int64(3),
        np_f=np.float64(1.5),
        np_f32=np.float32(1.5),
        np_b=np.bool_(True),
        np_a=np.array([[1, 2], [3, 4]]),
        np_u8=np.uint8(3),
        np_c=np.complex128(1j),
        np_s=np.str_("x"),
        np_dt=np.datetime64("2026-01-01"),
        np_af=np.array([1.5]),
    )
if pd is not None:
    CASES.update(df=pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), ts=pd.Timestamp("2026-01-01T00:00Z"), series=pd.Series([1, 2]))
