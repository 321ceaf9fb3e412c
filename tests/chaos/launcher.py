"""`anju demo up --without-city` whose services reach broker and database through the test's proxies.

Run as `python -m tests.chaos.launcher <data directory> <port base>`. It is the launcher itself, with three addresses
changed: what services are told of PostgreSQL and Kafka, and what the broker tells its clients of itself. What the
launcher keeps in city.json stays the parts' own addresses, so `anju demo status` shows those.
"""

import asyncio
import sys
from pathlib import Path

from anju.local import city
from anju.local.city import City
from anju.local.kafka import KafkaNode
from anju.local.launcher import run

# The proxies' ports from the port base; the launcher's own ones end at 30.
KAFKA_PROXY_OFFSET, POSTGRES_PROXY_OFFSET = 22, 31
# And in front of each web side, in the order of the services.
WEB_PROXY_OFFSET = 32
FIRST_COPY_OFFSET = 40


class LedNode(KafkaNode):
    """A broker that tells its clients the proxy's address."""

    def _settings(self) -> dict[str, str | int]:
        return super()._settings() | {"advertised.listeners": f"CLIENT://127.0.0.1:{self.port + 2}"}


def led(environment: dict[str, str], port_base: int) -> dict[str, str]:
    """The settings of a process with the proxies' addresses in them."""
    changes = {
        "DATABASE_URL": (f":{port_base + 30}/", f":{port_base + POSTGRES_PROXY_OFFSET}/"),
        "KAFKA_BOOTSTRAP": (f":{port_base + 20}", f":{port_base + KAFKA_PROXY_OFFSET}"),
    }
    found = dict(environment)
    for name, value in environment.items():
        for ending, (own, proxied) in changes.items():
            if name.endswith(ending):
                found[name] = value.replace(own, proxied)
    return found


def main(directory: Path, port_base: int) -> None:
    """Run the city until it is told to end."""
    plain = City.environment
    vars(city)["KafkaNode"] = LedNode
    setattr(City, "environment", lambda self, process: led(plain(self, process), port_base))  # noqa: B010
    asyncio.run(run(directory, port_base, simulation=None, say=lambda text: print(text, flush=True)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
