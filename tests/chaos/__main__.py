"""`make chaos`: breaks a city under load, and ends with 0 when the checker finds nothing and every planted fault."""

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.faults import KINDS
from tests.chaos.plants import PLANTS
from tests.chaos.run import Plan, run
from tests.chaos.trial import missed

# For a try: a few minutes. The whole show is --faults 300 --minutes 32.
FAULTS, MINUTES = 30, 2.0
PORT_BASE = 19_800


def main() -> int:
    """Run, print, write down."""
    options = argparse.ArgumentParser(prog="make chaos ARGS=…", description=__doc__)
    options.add_argument("--faults", type=int, default=FAULTS)
    options.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="only these")
    options.add_argument("--seed", type=int, default=None, help="the same seed, the same faults and the same load")
    options.add_argument("--minutes", type=float, default=None, help="over which the faults come")
    options.add_argument("--rate", type=float, default=4.0, help="operations a second")
    options.add_argument("--port-base", type=int, default=PORT_BASE)
    options.add_argument("--directory", type=Path, default=None, help="for the city; removed when all was well")
    options.add_argument("--report", type=Path, default=None, help="where the report's JSON goes")
    options.add_argument("--record", type=Path, default=None, help="where the evidence goes")
    chosen = options.parse_args()
    seed = chosen.seed if chosen.seed is not None else random.randrange(1_000_000)
    minutes = chosen.minutes if chosen.minutes is not None else MINUTES * chosen.faults / FAULTS
    directory = chosen.directory or Path(tempfile.mkdtemp(prefix="anju-chaos-"))
    wish = Plan(chosen.faults, chosen.kinds, seed, minutes, chosen.rate, chosen.port_base, directory)
    report, findings, evidence = asyncio.run(run(wish, lambda text: print(text, flush=True)))
    not_found = missed(evidence, seed) if not findings else [plant.name for plant in PLANTS]
    report.planted_found = f"{len(PLANTS) - len(not_found)} of {len(PLANTS)}"
    for finding in findings[:100]:
        print(f"{finding.kind}: {finding.where}: {finding.what}")
    print(report.text())
    if chosen.report is not None:
        chosen.report.write_text(json.dumps(report.document(), indent=1))
    if chosen.record is not None or findings:
        evidence.save(chosen.record or directory / "evidence.json.gz")
    if not findings and not not_found:
        shutil.rmtree(directory, ignore_errors=True)
        return 0
    print(f"journal, logs and evidence stay in {directory}; planted faults not found: {', '.join(not_found) or 'none'}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
