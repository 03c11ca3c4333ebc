"""The short form of `make soak`."""

from tests.trials.soak import GROWTH, soak


def test_sessions_that_come_and_go_while_a_net_trains_are_served_and_the_server_does_not_grow() -> None:
    figures, samples = soak(minutes=0.1, sessions=3)
    assert figures.training
    assert figures.steps > 0
    assert (figures.exceptions, figures.dropped) == (0, 0)
    assert figures.visits >= 3
    assert len(samples) >= 10
    assert figures.growth[0] <= GROWTH
