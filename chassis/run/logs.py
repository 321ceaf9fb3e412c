"""Logs: one JSON object a line on stdout, made so that a secret or a personal field cannot be in it.

Not by care at each call but by form: an event is a fixed lower-case name, a key stands in ALLOWED or is dropped, a
value is a number, an id or one plain word without long runs of digits. Of an exception only its type and its places in
the code are written. A library's record goes the same way; its text only where it is a literal of the library's code.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import orjson
import structlog

from chassis.run import tracing

_EVENT = re.compile(r"[a-z]+(?:-[a-z0-9]+){0,8}\Z")
_CODE = re.compile(r"[a-z][a-z0-9]*(?:[-._][a-z0-9]+)*\Z")
_WORD = re.compile(r"[\w./:@{}+<>=*,-]{1,200}\Z", re.ASCII)
_ID = re.compile(r"(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{32})\Z")
# Six digits in a row, or parted by spaces or hyphens: a document, a telephone, a birth date. No code of ours needs it.
_NUMBER = re.compile(r"\d(?:[ -]?\d){5,}")
# An integer this long could be a telephone or document number; offsets and counts stay far below.
_LARGEST = 10**10
_FRAMES = 12  # the innermost calls; the outer ones are always the server's and the framework's
WITHHELD = "withheld"
_process: dict[str, str] = {}


def _number(value: Any) -> Any:
    return value if isinstance(value, (int, float)) and abs(value) < _LARGEST else WITHHELD


def _word(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    text = str(value)
    return _NUMBER.sub("[number]", text) if _WORD.match(text) else WITHHELD


def _code(value: Any) -> Any:
    text = str(value)
    return _NUMBER.sub("[number]", text) if _CODE.match(text) and len(text) <= 80 else WITHHELD


def _words(value: Any) -> Any:
    return [_word(each) for each in list(value)[:20]] if isinstance(value, (list, tuple, set, frozenset)) else WITHHELD


def _id(value: Any) -> Any:
    return str(value) if _ID.match(str(value)) else WITHHELD


# Every key that a line may have besides level, event and time. A name is added here by someone who asked: can it ever
# hold what a person typed, or tell one registered person from another? Stay ids are left out on purpose.
ALLOWED: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ("service", "component", "reason", "code", "state", "timer", "check", "step", "pack", "setting"), _code
    ),
    **dict.fromkeys(("logger", "origin", "error", "sqlstate", "span", "method", "route", "host", "key_id"), _word),
    **dict.fromkeys(("topic", "group", "type", "version", "language", "signal"), _word),
    **dict.fromkeys(("reasons", "frames", "causes", "topics"), _words),
    **dict.fromkeys(("status", "seconds", "port", "pid", "partition", "offset", "epoch", "sequence", "lag"), _number),
    **dict.fromkeys(("count", "attempt", "limit", "size", "rows", "position", "expected", "found"), _number),
    **dict.fromkeys(("trace_id", "span_id", "parent_id", "alert_id", "notice_id"), _id),
}


def clean(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of `event` may be written: known keys with harmless values, and how many keys were dropped."""
    kept = {key: ALLOWED[key](value) for key, value in event.items() if key in ALLOWED and value is not None}
    dropped = sum(key not in ALLOWED for key in event)
    return {**kept, "dropped": dropped} if dropped else kept


def describe(error: BaseException) -> dict[str, Any]:
    """Return an exception as its type, the types behind it, and where it was raised: no message, no values."""
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < 5:
        causes.append(_type_name(cause))
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, BaseExceptionGroup):
        causes.extend(_type_name(each) for each in error.exceptions[:5])
    described: dict[str, Any] = {"error": _type_name(error), "frames": _frames(error.__traceback__)}
    if causes:
        described["causes"] = causes
    if sqlstate := getattr(getattr(error, "orig", error), "sqlstate", None):
        described["sqlstate"] = sqlstate
    return described


def _type_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _frames(where: TracebackType | None) -> list[str]:
    calls = traceback.extract_tb(where)[-_FRAMES:]
    return [f"{_short(call.filename)}:{call.lineno}:{call.name}" for call in calls]


def _short(filename: str) -> str:
    """`…/site-packages/aiokafka/client.py` → `aiokafka/client.py`: enough to find it, nothing of the machine."""
    parts = Path(filename).parts
    for root in ("site-packages", "chassis", "services", "policy", "contracts", "anju", "tests"):
        if root in parts:
            start = len(parts) - 1 - parts[::-1].index(root)
            return "/".join(parts[start + (root == "site-packages") :])
    return "/".join(parts[-2:])


def _line(level: str, event: str, fields: Mapping[str, Any], text: str | None = None) -> str:
    line = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": level,
        "event": event if _EVENT.match(event) else "unnamed",
        **clean({**_process, "trace_id": tracing.current_trace_id(), **fields}),
    }
    if text is not None:
        line["text"] = _NUMBER.sub("[number]", text[:300])
    return orjson.dumps(line).decode()


def _render(logger: Any, level: str, event: MutableMapping[str, Any]) -> str:
    fault = event.pop("exc_info", None)
    error = fault if isinstance(fault, BaseException) else sys.exc_info()[1] if fault else None
    if error is not None:
        event.update(describe(error))
    return _line(level, str(event.pop("event", "")), event)


class _LibraryHandler(logging.Handler):
    """Writes the records of libraries. Their arguments, and texts put together with values, are left out."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields: dict[str, Any] = {"logger": record.name, "origin": f"{_short(record.pathname)}:{record.lineno}"}
            if record.exc_info and record.exc_info[1] is not None:
                fields |= describe(record.exc_info[1])
            text = record.msg if isinstance(record.msg, str) and _is_literal(record) else None
            sys.stdout.write(_line(record.levelname.lower(), "library", fields, text) + "\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say that a line was lost; the standard way would print the record with its values."""
        sys.stderr.write('{"level":"error","event":"log-line-lost"}\n')


def _is_literal(record: logging.LogRecord) -> bool:
    """Tell whether the text stands as a constant in the code that logged it, so that it can hold no value."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_filename == record.pathname and code.co_name == record.funcName:
            return record.msg in code.co_consts
        frame = frame.f_back
    return False


def _configure_structlog(least: int) -> None:
    structlog.configure(
        processors=[_render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )


# Before `configure`, and in a command that forgets it: structlog's own way would print values of variables.
_configure_structlog(logging.WARNING)


def configure(service: str, component: str, level: str = "info") -> None:
    """Set up the process's logs; `component` is `web`, `worker` or a command's name."""
    least = logging.getLevelNamesMapping()[level.upper()]
    _process.clear()
    _process.update(service=service, component=component)
    _configure_structlog(least)
    root = logging.getLogger()
    root.handlers[:] = [_LibraryHandler()]
    # What libraries say below a warning is theirs; the server's own access log would write addresses as they came.
    root.setLevel(max(least, logging.WARNING))
    logging.getLogger("uvicorn.access").disabled = True
    logging.captureWarnings(True)
    # Left alone, these three print an exception with its message, and so perhaps a person's data, to stderr.
    sys.excepthook = lambda kind, error, where: _log_uncaught(error)
    sys.unraisablehook = lambda unraisable: _log_uncaught(unraisable.exc_value)
    threading.excepthook = lambda thread: _log_uncaught(thread.exc_value)


def _log_uncaught(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt):
        structlog.get_logger().critical("uncaught", exc_info=error)
