"""Decides how stored ciphertexts move to the first key, while everything runs, and which keys they still need."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.apps import apps
from django.db import models, transaction
from django.db.models import Q

from vault.fields import Sealed
from vault.keys import FORGOTTEN, MARK, UndecryptableError, key_ids, seal, unseal, writer_of

BATCH = 200


@dataclass(frozen=True, slots=True)
class Column:
    """One encrypted column; ``flag`` says per row whether it is encrypted, without one the text itself says it."""

    model: str
    name: str
    flag: str = ""

    @property
    def label(self) -> str:
        """Name for people, such as ``connection.password``."""
        return f"{self.model.partition('.')[2].lower()}.{self.name}"

    def rows(self) -> models.QuerySet[models.Model]:
        """Return the rows that hold ciphertext."""
        rows: models.QuerySet[models.Model] = apps.get_model(self.model)._default_manager.all()
        if self.flag:
            return rows.filter(**{self.flag: True}).exclude(**{f"{self.name}__isnull": True})
        return rows.exclude(**{self.name: ""}).exclude(**{f"{self.name}__startswith": "{"})


# Triggers keep their arguments encrypted with the same keys; their tables belong to other apps.
COLUMNS = (
    Column("vault.Connection", "password", "is_encrypted"),
    Column("vault.Connection", "extra", "is_extra_encrypted"),
    Column("vault.Variable", "val", "is_encrypted"),
    Column("vault.ConnectionTest", "parts", "is_encrypted"),
    Column("runs.Trigger", "encrypted_kwargs"),
    Column("dags_app.AssetWatcher", "encrypted_kwargs"),
)


@dataclass(slots=True)
class Rotated:
    """What a rotation did: values per key that wrote them before, and what no key opens."""

    by_key: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    changed_meanwhile: int = 0


def rotate(batch: int = BATCH, progress: Callable[[int], None] = lambda done: None) -> Rotated:
    """Encrypt everything again that the first key did not write; interrupted, it goes on where it stopped.

    Args:
        batch: values per transaction.
        progress: called with the number of values after each batch.
    """
    done = Rotated()
    for number in rotation(done, batch):
        progress(number)
    return done


def rotation(done: Rotated, batch: int = BATCH) -> Iterator[int]:
    """Do what ``rotate`` does, a transaction at a time: yields the number of values after each, and counts them in ``done``."""
    current = next(iter(key_ids()), "")
    for column in COLUMNS if current else ():
        for rows in _batches(column, batch, other_than=f"{current}{MARK}"):
            with transaction.atomic():
                for row in rows:
                    _rotate_one(column, row, done)
            yield len(rows)


def counts() -> Counter[str]:
    """Return how many values each key wrote, by key id; plain Fernet tokens count for the key that opens them, else for ""."""
    found: Counter[str] = Counter()
    for column in COLUMNS:
        for text in column.rows().values_list(column.name, flat=True).iterator(chunk_size=BATCH):
            found[writer_of(str(text))] += 1
    return found


def keys_missing() -> Counter[str]:
    """Return how many values need a key that is not configured, by its id; forgotten keys are left out."""
    found: Counter[str] = Counter()
    known = key_ids()
    for column in COLUMNS:
        written = Q()
        for key_id in known:
            written |= Q(**{f"{column.name}__startswith": f"{key_id}{MARK}"})
        others = column.rows().exclude(written) if known else column.rows()
        others = others.exclude(**{f"{column.name}__startswith": FORGOTTEN})
        for text in others.values_list(column.name, flat=True).iterator(chunk_size=BATCH):
            if (writer := writer_of(str(text))) not in known:
                found[writer] += 1
    return found


def forget(key_id: str, batch: int = BATCH) -> int:
    """Note that a key is lost: its values stay unreadable, and no longer hinder a start. Returns how many.

    The ciphertexts stay as they are, so that the key opens them again once it is found.

    Args:
        key_id: the key; "" for values without an id that no key opens.
        batch: values per transaction.
    """
    total = 0
    for column in COLUMNS:
        for rows in _batches(column, batch, f"{key_id}{MARK}" if key_id else "gAAAA"):
            lost = [row for row in rows if key_id or not writer_of(str(getattr(row, column.name)))]
            before = FORGOTTEN if key_id else f"{FORGOTTEN}{MARK}"
            with transaction.atomic():
                total += sum(_replace(column, row, f"{before}{getattr(row, column.name)}") for row in lost)
    return total


def _batches(column: Column, batch: int, begin: str = "", other_than: str = "") -> Iterator[list[models.Model]]:
    todo = column.rows().order_by("pk")
    todo = todo.filter(**{f"{column.name}__startswith": begin}) if begin else todo
    todo = todo.exclude(**{f"{column.name}__startswith": other_than}) if other_than else todo
    rows = list(todo[:batch])
    while rows:
        yield rows
        rows = list(todo.filter(pk__gt=rows[-1].pk)[:batch])


def _rotate_one(column: Column, row: models.Model, done: Rotated) -> None:
    stored = str(getattr(row, column.name))
    try:
        writer, fresh = writer_of(stored), seal(unseal(stored))[0]
    except UndecryptableError as error:
        done.unreadable.append(f"{column.label} of {row} ({error.short})")
        return
    if _replace(column, row, fresh):
        done.by_key[writer] += 1
    else:
        done.changed_meanwhile += 1


def _replace(column: Column, row: models.Model, fresh: str) -> int:
    # Only where nobody wrote it meanwhile: whoever did, used the first key.
    there = {"pk": row.pk, column.name: Sealed(getattr(row, column.name))}
    return type(row)._default_manager.filter(**there).update(**{column.name: Sealed(fresh)})
