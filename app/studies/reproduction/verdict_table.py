"""A store's own verdicts, among its answers; where it has none on a card, the one that is bundled."""

from app.store.store import Store
from app.values.reproduction.card import Card
from app.values.reproduction.kept import Reproduced, bundled, current, key


def known(store: Store, card: Card) -> Reproduced | None:
    """The store's own verdict, else the bundled one; None where nobody tried the card as it stands today."""
    kept = store.answers.get(key(card))
    own = Reproduced.model_validate_json(kept) if kept else None
    return own or current(card, bundled().get(card.name))


def keep(store: Store, card: Card, outcome: Reproduced) -> None:
    """In place of an older one. Raises StoreError where the disk is full."""
    store.answers.keep(key(card), "", card.name, outcome.model_dump_json().encode())
