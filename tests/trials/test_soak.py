"""The short form of `make soak`."""

from tests.support.waiting import PATIENCE
from tests.trials.soak import GROWTH, PAGES, Plan, soak

TWICE = 2 * len(PAGES)


def test_sessions_that_come_and_go_while_a_net_trains_are_served_and_the_server_does_not_grow() -> None:
    figures, samples = soak(Plan(minutes=PATIENCE / 60, sessions=3, visits=TWICE, stays=(0.2, 1.0), every=0.2))
    assert figures.training
    assert figures.steps > 0
    assert (figures.exceptions, figures.dropped) == (0, 0)
    assert figures.visits == TWICE
    assert samples[-1].visits == TWICE
    assert figures.growth[0] <= GROWTH
