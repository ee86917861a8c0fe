"""Logs: readable on a terminal, one JSON object per line with log.format = "json"."""

from __future__ import annotations

import logging
import sys

import structlog

from node.config import LogConfig


def set_up(config: LogConfig) -> None:
    """Configure structlog for this process; everything goes to stderr."""
    level = getattr(logging, config.level.upper())
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if config.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
