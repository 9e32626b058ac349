"""Decides whether a graph has a circle, and names it."""

from __future__ import annotations


def find_cycle(downstream: dict[str, list[str]]) -> list[str]:
    """Return the ids along a circle, the first one repeated at the end; empty where there is none.

    Walks with its own stack: a chain of any length is fine.
    """
    done: set[str] = set()
    for start in downstream:
        cycle = _walk(start, downstream, done)
        if cycle:
            return cycle
    return []


def _walk(start: str, downstream: dict[str, list[str]], done: set[str]) -> list[str]:
    if start in done:
        return []
    path, on_path, waiting = [start], {start}, [iter(downstream[start])]
    while waiting:
        following = next(waiting[-1], None)
        if following is None:
            waiting.pop()
            finished = path.pop()
            on_path.discard(finished)
            done.add(finished)
        elif following in on_path:
            return [*path[path.index(following) :], following]
        elif following not in done:
            path.append(following)
            on_path.add(following)
            waiting.append(iter(downstream.get(following, ())))
    return []
