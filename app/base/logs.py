"""The log: one line an event, for people, or as JSON for machines. No names, addresses, nor what anybody wrote.

    log = logs.events(__name__)
    log.info("submitted", run=run.id, net=run.spec.net.name)

A line has the time, the level, the event, and what it is of: `run`, `question`, `request`.
"""

import json
import logging
import sys
import time
from typing import Any

from app.base.settings import Settings

ROOT = "resnet_explorer"


class Events:
    """A logger whose message is an event's name, and whose fields stand beside it."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def info(self, event: str, **fields: Any) -> None:
        """What happens as it should."""
        self._logger.info(event, extra={"fields": fields})

    def warning(self, event: str, **fields: Any) -> None:
        """What goes on all the same."""
        self._logger.warning(event, extra={"fields": fields})

    def error(self, event: str, *, with_traceback: bool = False, **fields: Any) -> None:
        """What did not."""
        self._logger.error(event, extra={"fields": fields}, exc_info=with_traceback)


def events(module: str) -> Events:
    """The log of a module of this project."""
    return Events(logging.getLogger(f"{ROOT}.{module.rpartition('.')[2]}"))


def begin(settings: Settings, least: int = logging.INFO) -> None:
    """Write events of this process to stderr, as the settings say; a second time changes only how."""
    logger = logging.getLogger(ROOT)
    logger.setLevel(least)
    logger.propagate = False
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if settings.logs == "json" else _Words())
    logger.addHandler(handler)


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        said = {"time": when, "level": record.levelname.lower(), "event": record.getMessage(), "of": _module(record)}
        said |= getattr(record, "fields", {})
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str)


class _Words(logging.Formatter):
    """`13:45:02 submitted run=resnet-20-1a2b net=resnet-20`; a level that is no matter of course in front."""

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        fields = "".join(f" {name}={_plain(value)}" for name, value in getattr(record, "fields", {}).items())
        line = f"{time.strftime('%H:%M:%S', time.localtime(record.created))} {level}{record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _module(record: logging.LogRecord) -> str:
    return record.name.removeprefix(f"{ROOT}.")


def _plain(value: object) -> str:
    """A value on one line, in quotes where it has spaces."""
    text = str(value)
    return text if text.isprintable() and " " not in text and text else json.dumps(text)
