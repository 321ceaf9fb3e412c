"""Owns the real Kafka and PostgreSQL that tests run against: started once for a whole run, on free ports.

Fixtures (tests/conftest.py):

    async def test_it(postgres: Postgres, kafka: Kafka) -> None:
        dsn = await postgres.new_database()            # an empty database; its own role is the owner
        twin = await postgres.copy_of(dsn)             # a copy of a migrated one, 50 ms (no open connection to dsn)
        topic = await kafka.new_topic(partitions=3)    # compacted=True for a state
        alerts = await kafka.new_user("alerts")        # Credentials(username, password); without rights until granted
        await kafka.allow(alerts.username, topic=topic, read=True, write=True, group="prefix-of-groups")
        kafka.bootstrap, kafka.operator                # address; Credentials that may do everything
        kafka.new_name("group")                        # a name nobody used

    async def test_broker_killed(own_kafka: Callable[[], Kafka], own_postgres: Callable[[], Postgres]) -> None:
        kafka = own_kafka()                            # a broker of this test's own: 3 s; a server: 1 s
        kafka.kill(); kafka.start(); kafka.stop()      # start returns when it answers; same port, same data

    async def test_the_whole(city: DemoCity) -> None:   # the run's demo city with every service, ready
        city.status()["services"]["alerts"]            # as `anju demo status --json`
        city.kill("alerts-worker"); await city.ready() # it is started again
    async def test_down_and_up(new_city) -> None:      # a city of this test's own: 20 s
        async with new_city() as city: await city.down(); await city.up()

Where they come from, first that is there: the addresses in TEST_KAFKA_BOOTSTRAP, TEST_KAFKA_USERNAME,
TEST_KAFKA_PASSWORD and TEST_POSTGRES_DSN (users that may do everything); containers, where an engine answers and has
the images (containers.py; REQUIRE_DOCKER=1 takes no other); this machine's own parts (anju/local).
What a test stops or kills is always of this machine's own parts.
"""

from tests.parts.city import DemoCity
from tests.parts.containers import ContainerParts
from tests.parts.kafka import Credentials, Kafka
from tests.parts.local import LocalParts
from tests.parts.postgres import Postgres

__all__ = ["ContainerParts", "Credentials", "DemoCity", "Kafka", "LocalParts", "Postgres"]
