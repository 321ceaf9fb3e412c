"""What an administrator of a running city does: commands, backups and restores; and what befalls Kafka's topics."""

import asyncio
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from anju.local.binaries import postgres_install
from anju.topics.cluster import administrator
from tests.chaos.checker import states
from tests.chaos.checker.collect import collect
from tests.chaos.checker.findings import Finding
from tests.parts import DemoCity
from tests.system import rest
from tests.waiting import until

# Each command is a process of its own, on a machine that does other work.
SECONDS = 120
# Two seconds' work for a processor that seventy others want: one command has been seen to need two minutes.
COMMAND_SECONDS = 240


async def run(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run `anju` with these words, beside the test's own loop."""
    return await _run([sys.executable, "-m", "anju.cli", *words], environment)


async def _run(command: Sequence[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=COMMAND_SECONDS, env=os.environ | environment
    )


@dataclass(frozen=True)
class Administrator:
    """The administrator of one city."""

    city: DemoCity

    async def answer(self, *words: str) -> Any:
        """What a command with --json answers; it must not complain."""
        done = await run(*words, "--json", "--data-dir", str(self.city.data_dir))
        assert done.stderr == "", f"anju {' '.join(words)} ended with {done.returncode} and wrote: {done.stderr}"
        return json.loads(done.stdout)

    async def findings(self, code: str) -> list[dict[str, Any]]:
        """What the doctor finds of this kind."""
        found = await self.answer("doctor")
        return [each for each in found["findings"] if each["code"] == code]

    async def told(self, code: str, where: str = "") -> dict[str, Any]:
        """Ask the doctor until it finds something of this kind, at a place with this beginning; return the first."""
        found: list[dict[str, Any]] = []

        async def there() -> bool:
            found[:] = [each for each in await self.findings(code) if each["where"].startswith(where)]
            return bool(found)

        await until(there, SECONDS)
        return found[0]

    async def obey(self, command: str) -> Any:
        """Run a command as the doctor or a health page spelled it; return what it answers."""
        words = [word for word in shlex.split(command)[1:] if word not in ("--data-dir", str(self.city.data_dir))]
        return await self.answer(*words)

    async def grow(self, topic: str, declared: Path) -> Any:
        """Give a topic its declared partitions, once the lock of a worker that stands still is free."""
        grown: list[Any] = []

        async def done() -> bool:
            words = ("topics", "grow", topic, "--file", str(declared), "--json", "--data-dir", str(self.city.data_dir))
            said = await run(*words)
            if said.returncode == 0:
                grown.append(json.loads(said.stdout))
            else:
                assert "sends: stop every worker" in said.stderr, said.stderr
            return bool(grown)

        await until(done, SECONDS)
        return grown[0]

    async def reasons(self, service: str) -> list[str]:
        """Why a worker is not ready, by its own health page; one that is just being started has none yet."""
        address = f"{self.city.status()['workers'][service]}/health/ready"
        async with httpx.AsyncClient(timeout=SECONDS) as client:
            try:
                page = await client.get(address)
            except httpx.ConnectError:
                return ["nobody listens"]
        return list(page.json().get("reasons", ()))

    async def reason(self, service: str, words: str) -> str:
        """Wait until a worker's health page says something with these words; return the sentence."""
        found: list[str] = []

        async def said() -> bool:
            found[:] = [each for each in await self.reasons(service) if words in each]
            return bool(found)

        await until(said, SECONDS)
        return found[0]

    async def back_up(self, service: str, file: Path) -> None:
        """Dump a service's database, as the runbook says."""
        await self._postgres("pg_dump", "--format=custom", f"--file={file}", self._address(service))

    async def restore(self, service: str, file: Path) -> None:
        """Restore it under the processes that use it, as the runbook says."""
        how = ("--clean", "--if-exists", "--single-transaction", "--no-owner")
        await self._postgres("pg_restore", *how, "--dbname", self._address(service), str(file))

    def _address(self, service: str) -> str:
        return str(self.city.status()["databases"][service])

    async def _postgres(self, program: str, *words: str) -> None:
        done = await _run([str(postgres_install() / "bin" / program), *words], {})
        assert done.returncode == 0, done.stderr

    def kafka(self) -> AdminClient:
        """A client that may do everything."""
        kafka = self.city.status()["kafka"]
        return administrator(kafka["bootstrap"], kafka["username"], kafka["password"])

    async def delete(self, topic: str) -> None:
        """Delete a topic, as somebody does who mistakes it for an old one."""
        admin = self.kafka()
        await asyncio.to_thread(admin.delete_topics([topic])[topic].result, SECONDS)
        await until(lambda: topic not in admin.list_topics(timeout=10).topics, SECONDS)

    async def cut(self, topic: str) -> None:
        """Let retention take everything that a topic has."""
        admin = self.kafka()
        partitions = admin.list_topics(topic, timeout=10).topics[topic].partitions
        # -1 is Kafka's word for the end of the log.
        gone = admin.delete_records([TopicPartition(topic, each, -1) for each in partitions])
        await asyncio.gather(*(asyncio.to_thread(future.result, SECONDS) for future in gone.values()))

    async def at_rest(self) -> None:
        """Wait until every event was sent and read, and nothing follows from them."""
        await rest.until_at_rest(self.city.status(), SECONDS)

    async def all_states_agree(self) -> None:
        """Wait until every state equals the tables it comes from and every copy, by a checker that knows no code."""
        found: list[Finding] = []

        async def agree() -> bool:
            found[:] = states.check(await collect(self.city.status(), Path(os.devnull)))
            return not found

        try:
            await until(agree, SECONDS)
        except TimeoutError:
            raise AssertionError(found) from None
