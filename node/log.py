"""Logs: readable on a terminal, one JSON object per line with log.format = "json"."""

from __future__ import annotations

import logging
import sys

import structlog

from node.config import LogConfig


def set_up(config: LogConfig) -> None:
    """Configure structlog for this process; everything goes to stderr."""
    level: int = getattr(logging, config.level.upper())
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if config.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    _route_library_loggers(shared, last, level)
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _route_library_loggers(
    shared: list[structlog.typing.Processor], last: structlog.typing.Processor, level: int
) -> None:
    """The network room logs as libraries do; its lines look like all others."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logger = logging.getLogger("kilochain")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(level)
