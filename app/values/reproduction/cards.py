"""All cards by name, in the order of the page: the sources in the order of their years."""

from app.values.reproduction.card import Card
from app.values.reproduction.of_nets import NET_CARDS
from app.values.reproduction.of_races import RACE_CARDS

_ALL = {card.name: card for card in (*RACE_CARDS, *NET_CARDS)}

TABLES: dict[str, tuple[str, ...]] = {
    "Deeper is not better, and shortcuts": (
        "plain-depth",
        "residual-depth",
        "depth-interaction",
        "shortcuts-at-56",
        "responses",
        "responses-deeper",
        "table-6",
        "ensemble",
        "mnist-34",
    ),
    "What may be done to a block": ("preact-depth", "preact-order", "orders", "dial"),
    "Many paths": ("path-lengths", "short-paths", "one-block", "many-blocks", "disorder", "effective-paths"),
    "Depth at random": ("stochastic-error", "stochastic-speed"),
    "Before the first step": ("explosion", "variance", "shattered"),
}

CARDS: dict[str, Card] = {name: _ALL[name] for names in TABLES.values() for name in names}


def find(name: str) -> Card:
    """The card of this name. Raises ValueError with all names."""
    if name not in CARDS:
        raise ValueError(f"there is no card {name[:60]!r}: {', '.join(CARDS)}")
    return CARDS[name]
