"""What PostgreSQL refuses, when validation forgot it, is an answer and no 5xx; keys work through HTTP."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from fastapi import Body, Depends
from starlette.requests import Request
from starlette.responses import Response

from chassis.data import tables
from chassis.data.db import Database
from chassis.web.access import Caller, require
from chassis.web.app import api_router, create_app
from chassis.web.idempotent import answer, once_for
from chassis.web.models import StrictModel
from tests.parts import Postgres
from tests.unit.chassis_web.demo import FakeProvider, client_of, make_settings

pytestmark = pytest.mark.postgres

things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, unique=True),
    sa.Column("count", sa.SmallInteger, sa.CheckConstraint("count >= 0")),
)


class Thing(StrictModel):
    """A thing."""

    name: str


def _create(connection: sa.Connection) -> None:
    tables.create(Operations(MigrationContext.configure(connection)))
    things.create(connection)


@pytest.fixture
async def client(postgres: Postgres) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that validates nothing."""
    settings = make_settings(database_url=await postgres.new_database())
    db = Database(settings.database_url, service="demo")
    async with db.engine.begin() as connection:
        await connection.run_sync(_create)
    router = api_router()

    @router.post("/unchecked")
    async def unchecked(values: Annotated[dict[str, Any], Body()]) -> None:
        async with db.transaction() as tx:
            await tx.execute(sa.insert(things).values(**values))

    @router.post("/things")
    async def post(
        body: Thing, request: Request, caller: Annotated[Caller, Depends(require("clerk", "inspector"))]
    ) -> Response:
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                await turn.tx.execute(sa.insert(things).values(name=body.name))
                turn.keep(201, {"name": body.name})
        return answer(turn)

    provider = FakeProvider()
    parts = create_app(settings, db, title="Demo", routers=[router])
    parts.app.state.oidc._client = httpx.AsyncClient(transport=httpx.MockTransport(provider.handle))
    async with client_of(parts) as made:
        made.headers["authorization"] = f"Bearer {provider.token()}"
        yield made
    await db.dispose()


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"name": "a\x00b"}, 422),
        ({"id": 2**31}, 422),
        ({"id": 2**63}, 422),
        ({"count": 2**15}, 422),
        ({"count": -1}, 422),
        ({"name": 5}, 422),
        ({"count": "x"}, 422),
        ({"name": "taken"}, 409),
    ],
)
async def test_a_value_that_cannot_be_stored(client: httpx.AsyncClient, values: dict[str, Any], status: int) -> None:
    assert (await client.post("/api/v1/unchecked", json={"name": "taken", "id": 1})).status_code == 200
    response = await client.post("/api/v1/unchecked", json=values)
    assert response.status_code == status
    assert "taken" not in response.text


async def test_a_repeat_gets_the_first_answer(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": str(uuid4())}
    first = await client.post("/api/v1/things", json={"name": "a"}, headers=headers)
    again = await client.post("/api/v1/things", json={"name": "a"}, headers=headers)
    assert (first.status_code, first.json()) == (again.status_code, again.json()) == (201, {"name": "a"})
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = await client.post("/api/v1/things", json={"name": "b"}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "urn:anju:problem:idempotency-key-reused")


@pytest.mark.parametrize("keys", [[], [b""], [b"a b"], [b"x" * 201], [b"\xc3\xa9"], [b"a", b"a"]])
async def test_a_key_is_required(client: httpx.AsyncClient, keys: list[bytes]) -> None:
    headers = [(b"idempotency-key", key) for key in keys]
    response = await client.post("/api/v1/things", json={"name": "a"}, headers=headers)
    assert (response.status_code, response.json()["type"]) == (400, "urn:anju:problem:idempotency-key-required")


async def test_a_refused_request_may_be_sent_again_under_its_key(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "k"}
    await client.post("/api/v1/things", json={"name": "a"}, headers={"idempotency-key": "other"})
    assert (await client.post("/api/v1/things", json={"name": "a"}, headers=headers)).status_code == 409
    assert (await client.post("/api/v1/things", json={"name": "b"}, headers=headers)).status_code == 201
