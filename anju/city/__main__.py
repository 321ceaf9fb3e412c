"""The process: `python -m anju.city`, settings from the environment, until SIGTERM."""

import asyncio
import signal
import sys

from anju.city.settings import load
from chassis.run.logs import configure
from chassis.run.settings import BadSettings


async def _run() -> None:
    from anju.city.simulation import run

    settings = load()
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await run(settings)
    except asyncio.CancelledError:
        return


def main() -> None:
    """Run the city."""
    configure("city", "city")
    try:
        asyncio.run(_run())
    except BadSettings as error:
        sys.exit(f"anju: {error}.")


main()
