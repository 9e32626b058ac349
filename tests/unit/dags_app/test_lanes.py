"""Decides whether a slow file delays no other (C06-e)."""

from dags_app.processor.lanes import Lanes


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def lanes(processes=2):
    clock = Clock()
    return Lanes(processes, clock), clock


def key(name):
    return ("b", name)


def test_quick_files_get_as_many_places_as_there_are_processes_c06_e():
    made, _ = lanes()
    made.started(1, 0.0)
    assert made.next_of([key("a")], lambda _: 0.0) == key("a")
    made.started(2, 0.0)
    assert made.next_of([key("a")], lambda _: 0.0) is None
    made.ended(1)
    assert made.next_of([key("a")], lambda _: 0.0) == key("a")


def test_a_file_that_turns_out_to_be_slow_gives_its_place_back_c06_e():
    made, clock = lanes(1)
    made.started(1, 0.0)
    assert made.next_of([key("a")], lambda _: 0.0) is None
    clock.now = 3.0
    assert made.next_of([key("a")], lambda _: 0.0) == key("a")


def test_files_that_were_slow_run_one_at_a_time_beside_the_others_c06_e():
    made, _ = lanes(2)
    slow = {key("slow1"): 9.0, key("slow2"): 9.0}
    seconds = lambda item: slow.get(item, 0.0)  # noqa: E731
    queue = [key("slow1"), key("slow2"), key("quick")]
    assert made.next_of(queue, seconds) == key("slow1")
    made.started(1, 9.0)
    assert made.next_of(queue[1:], seconds) == key("quick")
    made.started(2, 0.0)
    made.started(3, 0.0)
    assert made.next_of([key("slow2")], seconds) is None
    made.ended(1)
    assert made.next_of([key("slow2")], seconds) == key("slow2")


def test_slow_files_take_no_more_than_twice_the_processes_c06_e():
    made, clock = lanes(1)
    made.started(1, 0.0)
    clock.now = 3.0
    made.started(2, 0.0)
    clock.now = 6.0
    assert made.next_of([key("a")], lambda _: 0.0) is None
