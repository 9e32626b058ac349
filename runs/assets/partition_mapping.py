"""Decides which partitions of a consumer an event counts for, by what the consumer's mapper makes of its key."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dags_app.plugin_child import NoAnswerError
from orchestrator.config import conf
from orchestrator.sdk.definitions.timetables.partition import LONGEST_KEY
from runs.assets.deliveries import NO_PARTITION, TOO_MANY
from runs.assets.mappers import carried_date, downstream_keys, most_keys

log = logging.getLogger(__name__)

Json = Any


@dataclass(frozen=True, slots=True)
class Mapped:
    """The partitions, with the date that the run takes over; or why there are none: for the event, the audit log, the reader."""

    keys: list[str] = field(default_factory=list)
    date: datetime | None = None
    refusal: str = ""
    event: str = ""
    why: str = ""


def mapped(mapper: Json, key: str, date: datetime | None) -> Mapped:
    """Return what a mapper makes of a key; none where it refuses it: an event must not fail for one of its consumers.

    Args:
        mapper: as stored. A plugin's is asked in its child; do not call this for one within a transaction.
        date: partition date of the run that made the event.

    Raises ``NoAnswerError`` where a plugin is silent: ask again later.
    """
    try:
        keys = sorted(set(downstream_keys(mapper, key)))
        wrong = [each for each in keys if not 0 < len(each) <= LONGEST_KEY]
        if wrong:
            raise ValueError(f"a partition key has 1 to {LONGEST_KEY} characters, not {len(wrong[0])}")
    except NoAnswerError:
        raise
    except Exception as error:
        return Mapped(refusal=NO_PARTITION, event="failed to map partition_key", why=f"{type(error).__name__}: {error}")
    most = most_keys(mapper, int(conf.get("scheduler", "partition_mapper_max_downstream_keys")))
    if len(keys) > most:
        why = f"the mapper gives {len(keys)} keys; the most is {most}"
        return Mapped(refusal=TOO_MANY, event="partition fan-out exceeded", why=why)
    return Mapped(keys, _carried(mapper, date))


def _carried(mapper: Json, date: datetime | None) -> datetime | None:
    try:
        return carried_date(mapper, date)
    except NoAnswerError:
        raise
    except Exception as error:
        log.error("a partition mapper takes over no date: %s", error)
        return None
