"""Turns, over random queues: what they promise, and the same order found by a simulation of it."""

import random
from collections import Counter

import pytest

from app.engine.policy.turns import turns


def queue(seed: int) -> tuple[list[str], Counter[str]]:
    """Owners of a random queue, the oldest first, and how many of whose runs train."""
    draw = random.Random(seed)
    students = [f"student {index}" for index in range(draw.randint(1, 8))]
    waiting = draw.choices(students, weights=[draw.random() ** 3 + 0.01 for _ in students], k=draw.randint(0, 40))
    return waiting, Counter(draw.choices(students, k=draw.randint(0, 4)))


@pytest.mark.parametrize("seed", range(60))
def test_every_run_has_one_turn_and_each_students_own_stay_in_order(seed: int) -> None:
    waiting, training = queue(seed)
    order = turns(waiting, training)
    assert sorted(order) == list(range(len(waiting)))
    for student in set(waiting):
        own = [index for index in order if waiting[index] == student]
        assert own == sorted(own)


@pytest.mark.parametrize("seed", range(60))
def test_a_first_run_waits_for_at_most_one_of_each_other_student_however_long_their_queue(seed: int) -> None:
    waiting, training = queue(seed)
    order = turns(waiting, training)
    for student in set(waiting) - set(training):
        place = next(place for place, index in enumerate(order) if waiting[index] == student)
        ahead = Counter(waiting[index] for index in order[:place])
        assert max(ahead.values(), default=0) <= 1


@pytest.mark.parametrize("seed", range(60))
def test_a_longer_queue_of_one_student_moves_nobody_elses_first_run(seed: int) -> None:
    waiting, training = queue(seed)
    if not waiting:
        return
    greedy, many = waiting[0], [*waiting, *[waiting[0]] * 30]
    for student in set(waiting) - {greedy}:
        first = waiting.index(student)
        assert turns(waiting, training).index(first) == turns(many, training).index(first)


@pytest.mark.parametrize("seed", range(60))
def test_it_is_whom_one_would_choose_again_and_again_the_one_with_least_so_far(seed: int) -> None:
    waiting, training = queue(seed)
    had, left, chosen = Counter(training), list(range(len(waiting))), []
    while left:
        least = min(had[waiting[index]] for index in left)
        one = next(index for index in left if had[waiting[index]] == least)
        had[waiting[one]] += 1
        left.remove(one)
        chosen.append(one)
    assert turns(waiting, training) == chosen
