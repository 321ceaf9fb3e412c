"""A PostgreSQL server that tests use: databases that nobody else has."""

import uuid
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.parts.process import Part


class Postgres:
    """A server: its superuser's address, and the databases that tests make in it."""

    def __init__(self, dsn: str, part: Part | None) -> None:
        self.dsn, self._part = dsn, part

    @property
    def part(self) -> Part:
        """The process behind it; only of a server of the test's own."""
        assert self._part is not None, "this server was not started here: use the fixture own_postgres"
        return self._part

    def start(self) -> None:
        """Start the server again."""
        self.part.start()

    def stop(self) -> None:
        """Stop the server in good order; open connections are ended."""
        self.part.stop()

    def kill(self) -> None:
        """kill -9 the server with all its processes."""
        self.part.kill()

    async def new_database(self, word: str = "test") -> str:
        """Make an empty database with a role of its own that owns it; gives the role's DSN."""
        name, password = f"{word}_{uuid.uuid4().hex[:12]}", uuid.uuid4().hex
        async with _connection(self.dsn) as connection:
            await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
            await connection.execute(f"CREATE DATABASE {name} OWNER {name}")
            await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        return self._address(name, name, password)

    async def copy_of(self, dsn: str) -> str:
        """Copy a database that `new_database` made, for the same role; nobody may be connected to it."""
        parts = urlsplit(dsn)
        source, copy = parts.path.lstrip("/"), f"copy_{uuid.uuid4().hex[:12]}"
        async with _connection(self.dsn) as connection:
            await connection.execute(f"CREATE DATABASE {copy} TEMPLATE {source} OWNER {parts.username}")
        return self._address(copy, parts.username or "", parts.password or "")

    def _address(self, database: str, role: str, password: str) -> str:
        parts = urlsplit(self.dsn)
        place = f"{role}:{password}@{parts.hostname}:{parts.port}"
        return urlunsplit((parts.scheme, place, f"/{database}", "", ""))


class _connection:
    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def __aenter__(self) -> asyncpg.Connection:
        self._open = await asyncpg.connect(self._dsn)
        return self._open

    async def __aexit__(self, *_: object) -> None:
        await self._open.close()
