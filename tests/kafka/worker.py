"""A worker process that tests kill: relays and reads for the service that its arguments name."""

import asyncio
import json
import sys

from chassis.data.db import Database
from chassis.events.kafka import KafkaSettings
from tests.kafka.conftest import Service


async def main() -> None:
    """Run until killed."""
    given = json.loads(sys.argv[1])
    db = Database(given["dsn"], service="test")
    settings = KafkaSettings(**given["kafka"])
    service = Service(db, settings, given["topic"], given["group"])
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(service.relay().run())
        tasks.create_task(service.consumers(settings.replica).run())


if __name__ == "__main__":
    asyncio.run(main())
