"""How the server logs: structured, to standard error; for people on a terminal, a JSON object a line elsewhere."""

import logging
import sys
from collections.abc import Sequence

import structlog


def configure(level: str) -> None:
    """Set up structlog, and the standard library's logging behind it (uvicorn, aiortc). Done before the fork."""
    shared: Sequence[structlog.types.Processor] = (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    )
    is_terminal = sys.stderr.isatty()
    renderer: structlog.types.Processor = _on_terminal() if is_terminal else structlog.processors.JSONRenderer()
    exceptions = () if is_terminal else (structlog.processors.format_exc_info,)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *exceptions,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("aioice", "aiortc", "alembic", "asyncio", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _on_terminal() -> structlog.dev.ConsoleRenderer:
    # Not the pretty traceback: it prints local variables, and with them passwords and tokens.
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
