"""How long things take, counted where they happen, for /metrics (`app.server.metrics`)."""

from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
ANSWER_SECONDS = Histogram(
    "resnet_explorer_answer_seconds",
    "From a question put to a worker to its answer, the wait included, by lane.",
    ["lane"],
    registry=REGISTRY,
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800),
)
FEED_SECONDS = Histogram(
    "resnet_explorer_feed_seconds",
    "From a live page's request to the bytes of its feed.",
    registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
