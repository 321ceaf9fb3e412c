"""Runs benchmarks and prints their ratios: `python -m benchmarks [matcher relay …] [--rounds 3] [--scale 1.0]`."""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import boards, latency, relay
from benchmarks.matcher import bench as matcher
from benchmarks.parts import parts
from benchmarks.rounds import Measured, Plan, shown
from benchmarks.write_path import bench as write_path

BENCHES: dict[str, Callable[[Plan], Awaitable[list[Measured]]]] = {
    "write_path": write_path.measure,
    "matcher": matcher.measure,
    "relay": relay.measure,
    "latency": latency.measure,
    "boards": boards.measure,
}
REPORT = Path(__file__).resolve().parents[1] / ".build" / "bench.json"


async def _run(names: list[str], rounds: int, scale: float) -> None:
    found: list[Measured] = []
    with parts() as started:
        for name in names:
            print(f"\n{name}", flush=True)
            for measured in await BENCHES[name](Plan(started, rounds, scale)):
                found.append(measured)
                print("\n".join(shown(measured)), flush=True)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({"at": datetime.now(UTC).isoformat(), "measured": [each.plain() for each in found]}))


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(BENCHES), metavar="|".join(BENCHES))
    parser.add_argument("--rounds", type=int, default=3, help="each contestant once a round, in another order")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of events")
    words = parser.parse_args()
    if unknown := set(words.names) - set(BENCHES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    asyncio.run(_run(words.names, words.rounds, words.scale))


if __name__ == "__main__":
    main()
