"""Who gets the free slots (C08): fair between pools, runs and tasks, never more than there are."""

from __future__ import annotations

from collections import Counter
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from runs.scheduler.ready import Candidate, Capacity, Limits, ReadyQueue

FREE = Limits(max_active_tasks=1000, per_task={})


def candidate(run_pk: int = 1, task_id: str = "t", **fields: object) -> Candidate:
    values = {"ti_id": uuid4(), "dag_id": "d", "map_index": -1, "pool": "p", "pool_slots": 1, "priority_weight": 1, **fields}
    return Candidate(run_pk=run_pk, task_id=task_id, **values)  # type: ignore[arg-type]


def chosen(
    queue: ReadyQueue, slots: int = 100, pools: dict[str, float] | None = None, limits: Limits | None = FREE
) -> list[Candidate]:
    return queue.choose(Capacity(slots, dict(pools or {"p": 100.0})), lambda run_pk: limits)


def queue_of(*candidates: Candidate) -> ReadyQueue:
    queue = ReadyQueue()
    for item in candidates:
        queue.add(item)
    return queue


def test_the_higher_priority_goes_first_then_the_older_run_then_the_lower_index() -> None:
    late, early = candidate(2), candidate(1)
    urgent, second = candidate(3, priority_weight=5), candidate(1, map_index=4)
    assert chosen(queue_of(late, second, early, urgent)) == [urgent, early, second, late]


def test_c08a_a_full_pool_does_not_hide_the_tasks_of_another_pool() -> None:
    blocked = [candidate(pool="full", priority_weight=9) for _ in range(50)]
    other = candidate(pool="p")
    assert chosen(queue_of(*blocked, other), pools={"full": 0, "p": 1}) == [other]


def test_a_task_that_needs_more_slots_than_are_free_does_not_hide_smaller_ones() -> None:
    big, small = candidate(pool_slots=5, priority_weight=9), candidate()
    queue = queue_of(big, small)
    assert chosen(queue, pools={"p": 3}) == [small]
    assert chosen(queue, pools={"p": 5}) == [big]


def test_a_run_at_its_limit_does_not_hide_another_run() -> None:
    first, second, third = candidate(1, "a"), candidate(1, "b"), candidate(2, "c")
    queue = queue_of(first, second, third)
    assert chosen(queue, limits=Limits(1, {})) == [first, third]
    queue.release(1, ("d", "a"))
    assert chosen(queue, limits=Limits(1, {})) == [second]


def test_what_was_set_aside_comes_back_when_its_run_has_news() -> None:
    queue = queue_of(candidate(1, "a"), candidate(1, "b"))
    full = Capacity(10, {"p": 10.0}, run_active=Counter({1: 1}))
    assert queue.choose(full, lambda run_pk: Limits(1, {})) == []
    assert chosen(queue) == []
    queue.release(1, ("d", "x"))
    assert len(chosen(queue)) == 2


def test_a_capped_task_does_not_hide_the_other_tasks_of_its_run() -> None:
    limits = Limits(100, {"a": (1, None)})
    one, two, other = candidate(1, "a", map_index=0), candidate(1, "a", map_index=1), candidate(1, "b")
    queue = queue_of(one, two, other)
    assert set(chosen(queue, limits=limits)) == {one, other}
    queue.release(1, ("d", "a"))
    assert chosen(queue, limits=limits) == [two]


def test_a_paused_dag_waits_and_comes_back_at_the_next_poll() -> None:
    queue = queue_of(item := candidate())
    assert chosen(queue, limits=None) == []
    queue.release_all()
    assert chosen(queue) == [item]


def test_a_discarded_candidate_is_not_chosen_and_may_be_added_again() -> None:
    item = candidate()
    queue = queue_of(item)
    queue.discard(item.ti_id)
    assert chosen(queue) == []
    queue.add(item)
    assert chosen(queue) == [item]


def test_a_pool_that_does_not_exist_gives_no_slot() -> None:
    assert chosen(queue_of(candidate(pool="nowhere"))) == []


def test_the_work_of_a_choice_is_what_was_chosen_not_what_waits() -> None:
    queue = queue_of(*(candidate(map_index=i) for i in range(10_000)))
    while len(queue):
        chosen(queue, slots=4)
    assert queue.visited == 10_000


@st.composite
def loads(draw: st.DrawFn) -> list[Candidate]:
    number = draw(st.integers(1, 40))
    return [
        candidate(
            draw(st.integers(1, 4)),
            draw(st.sampled_from("abc")),
            map_index=index,
            pool=draw(st.sampled_from(["p", "q"])),
            pool_slots=draw(st.integers(1, 3)),
            priority_weight=draw(st.integers(1, 5)),
        )
        for index in range(number)
    ]


@given(loads(), st.integers(1, 6), st.integers(3, 6), st.integers(1, 3), st.integers(1, 3))
def test_c08c_nobody_starves_and_no_limit_is_ever_exceeded(
    load: list[Candidate], slots: int, pool_size: int, per_run: int, per_task: int
) -> None:
    limits = Limits(per_run, {"a": (per_task, None), "b": (None, per_task)})
    queue, running, seen = queue_of(*load), [], set[UUID]()
    for _ in range(len(load) * 2):
        capacity = Capacity(slots - len(running), {name: float(pool_size) for name in "pq"})
        for item in running:
            capacity.pool_free[item.pool] -= item.pool_slots
            capacity.run_active[item.run_pk] += 1
            capacity.task_active[item.dag_id, item.task_id] += 1
            capacity.task_in_run_active[item.run_pk, item.task_id] += 1
        running += queue.choose(capacity, lambda run_pk: limits)
        assert len(running) <= slots
        assert all(sum(i.pool_slots for i in running if i.pool == name) <= pool_size for name in "pq")
        assert all(count <= per_run for count in Counter(i.run_pk for i in running).values())
        assert Counter(i.task_id for i in running)["a"] <= per_task
        if running:
            ended = running.pop(0)
            seen.add(ended.ti_id)
            queue.release(ended.run_pk, (ended.dag_id, ended.task_id))
    assert seen == {item.ti_id for item in load}
