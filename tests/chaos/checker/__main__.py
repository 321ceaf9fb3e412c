"""`python -m tests.chaos.checker JOURNAL STATUS`: checks a city by what `anju demo status --json` said of it."""

import asyncio
import json
import sys
from pathlib import Path

from tests.chaos.checker.checking import check
from tests.chaos.checker.collect import collect
from tests.chaos.checker.evidence import Evidence, load


def main(words: list[str]) -> int:
    """Print each finding; 0 when there is none."""
    if len(words) == 1:
        evidence: Evidence = load(Path(words[0]))
    else:
        status = json.loads(Path(words[1]).read_text("utf-8"))
        evidence = asyncio.run(collect(status, Path(words[0])))
    findings = list(check(evidence))
    for finding in findings:
        print(f"{finding.kind}: {finding.where}: {finding.what}")
    print(f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
