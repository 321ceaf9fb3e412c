"""Statements that are built and compiled once and run by the driver itself: for paths where their CPU counts."""

from collections.abc import Collection, Mapping
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT: sa.Dialect = dialect()  # type: ignore[no-untyped-call]


class Row(asyncpg.Record):
    """A row whose columns are attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Prepared:
    """A statement of SQLAlchemy's as the driver runs it. To run it this way takes a quarter of the CPU.

    Args:
        statement: made at import. Each of its parameters has a name: lists are arrays (`= ANY`), no `in_` of many.
        columns: of an insert without values, the columns that it is given.
    """

    def __init__(self, statement: sa.Executable, columns: Collection[str] = ()) -> None:
        assert isinstance(statement, sa.ClauseElement)
        compiled = statement.compile(dialect=_DIALECT, column_keys=list(columns) or None)
        assert isinstance(compiled, SQLCompiler)
        self.sql = str(compiled)
        parameters = [compiled.binds[name] for name in compiled.positiontup or ()]
        self._fixed = {each.key: each.value for each in parameters if not each.required}
        self._order = [(each.key, each.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)) for each in parameters]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the values in the order of the statement's places; None is NULL, of JSON too.

        Raises KeyError for one that is missing.
        """
        given = {**self._fixed, **values} if self._fixed else values
        return [
            given[name] if process is None or given[name] is None else process(given[name])
            for name, process in self._order
        ]
