"""Rules of style that import-linter and ruff do not know, each a function from one file to its violations."""

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Files "under about 300 lines" and functions "under about 40": the points at which a reader has lost the thread.
LONGEST_FILE: Final = 320
LONGEST_FUNCTION: Final = 50
# Names that say nothing about what a module owns.
EMPTY_NAMES: Final = {"util", "utils", "common", "helper", "helpers", "manager", "managers", "base", "misc"}
# Where time enters: everything below takes it as `now`.
CLOCKLESS: Final = re.compile(
    r"^(contracts|policy|chassis/data|chassis/events)/"
    r"|^services/\w+/(domain|use_cases|storage)/"
    r"|^services/\w+/(events|watchlist)\.py$"
)
CLOCKS: Final = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
# Beside the standard library: the two drivers.
CHECKER_MAY_IMPORT: Final = sys.stdlib_module_names | {"asyncpg", "aiokafka"}
TRANSACTION_CALLS: Final = {"commit", "rollback", "begin", "begin_nested", "transaction"}


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the repository's root, with slashes, and its text."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text)

    @property
    def parts(self) -> list[str]:
        """The folders and the module's name, without suffix."""
        return self.path.removesuffix(".py").split("/")


def sources(root: Path, *folders: str) -> list[Source]:
    """Every Python file below the folders."""
    return [
        Source(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))
        for folder in folders
        for file in sorted((root / folder).rglob("*.py"))
        if "node_modules" not in file.parts
    ]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _calls(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield node.lineno, _dotted(node.func)


def _lines(nodes: Sequence[ast.stmt]) -> set[int]:
    return {line for node in nodes for line in range(_first_line(node), (node.end_lineno or node.lineno) + 1)}


def _first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, Function) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def short_file(source: Source) -> Iterator[str]:
    """A file that passes about 300 lines becomes a folder."""
    lines = source.text.count("\n")
    if lines > LONGEST_FILE:
        yield f"{source.path} has {lines} lines; {LONGEST_FILE} are the most"


def short_functions(source: Source) -> Iterator[str]:
    """A function fits on a screen; its docstring and the functions inside it (a router's routes) are not counted."""
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            inside = [inner for statement in body for inner in ast.walk(statement) if isinstance(inner, Function)]
            length = len(_lines(body) - _lines(inside))
            if length > LONGEST_FUNCTION:
                yield f"{source.path}:{node.lineno} {node.name} has {length} lines; {LONGEST_FUNCTION} are the most"


def telling_name(source: Source) -> Iterator[str]:
    """No module or folder is named after nothing."""
    for part in source.parts:
        if EMPTY_NAMES & set(part.lower().split("_")):
            yield f"{source.path}: {part!r} does not say what it owns"


def first_line(source: Source) -> Iterator[str]:
    """A module's first line says what it owns; an empty __init__ owns nothing."""
    if source.text.strip() and not (ast.get_docstring(source.tree) or "").strip():
        yield f"{source.path} has no docstring that says what it owns"


def time_passed_in(source: Source) -> Iterator[str]:
    """Rules, use cases and storage take `now`; only entry points read a clock."""
    if CLOCKLESS.match(source.path):
        for line, name in _calls(source):
            if any(name == clock or name.endswith(f".{clock}") for clock in CLOCKS):
                yield f"{source.path}:{line} reads the clock ({name}); time is passed in"


def no_blocking_sleep(source: Source) -> Iterator[str]:
    """A blocking sleep stops the event loop, and in a test it is a race.

    The launcher, the parts of tests and benchmarks, what is fuzzed, and the containers' engine are started and asked
    until a deadline, without an event loop.
    """
    if source.path.startswith(("anju/", "tests/parts/", "tests/compose/", "tests/fuzz/", "benchmarks/")):
        return
    imports = {
        alias.asname or alias.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
        if alias.name == "sleep"
    }
    for line, name in _calls(source):
        if name == "time.sleep" or name in imports:
            yield f"{source.path}:{line} blocks in {name}"


def use_cases_never_commit(source: Source) -> Iterator[str]:
    """The entry point opens the transaction; a use case gets it and leaves its end alone."""
    if re.match(r"^services/\w+/use_cases/", source.path):
        for line, name in _calls(source):
            if name.rpartition(".")[2] in TRANSACTION_CALLS and "." in name:
                yield f"{source.path}:{line} calls {name}; the entry point opens and ends the transaction"


def one_use_case_a_file(source: Source) -> Iterator[str]:
    """One public async function per file of use_cases at most; queries.py and read_states.py hold reads."""
    match = re.match(r"^services/\w+/use_cases/(\w+)\.py$", source.path)
    if match and match[1] not in ("__init__", "queries", "read_states"):
        public = [
            node.name
            for node in source.tree.body
            if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_")
        ]
        if len(public) > 1:
            yield f"{source.path} has {len(public)} use cases ({', '.join(public)}); one a file"


def checker_stands_alone(source: Source) -> Iterator[str]:
    """What checks a city after chaos imports nothing of it: our mistakes would be made twice."""
    if source.path.startswith("tests/chaos/checker/"):
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            module = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            for name in [module] if module else [alias.name for alias in node.names]:
                own = f"{name}.".startswith("tests.chaos.checker.")
                if not own and name.partition(".")[0] not in CHECKER_MAY_IMPORT:
                    yield f"{source.path}:{node.lineno} imports {name}; the checker stands alone"


RULES: Final[tuple[Callable[[Source], Iterator[str]], ...]] = (
    short_file,
    short_functions,
    telling_name,
    first_line,
    time_passed_in,
    no_blocking_sleep,
    use_cases_never_commit,
    one_use_case_a_file,
    checker_stands_alone,
)
