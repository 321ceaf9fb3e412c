"""`python -m anju.data_protection`: refuses tables and forms whose fields are untagged or on the deny list."""

import sys
from pathlib import Path

from anju.data_protection import collect
from anju.data_protection.plumbing import ALLOWED
from contracts import deny, lint

ROOT = Path(__file__).parents[2]


def problems() -> list[str]:
    """Every reason to refuse, over events, tables, forms and the inputs of pages."""
    found = lint.problems(collect.everything(), allowed={**deny.ALLOWED, **ALLOWED})
    return [
        *found,
        *(problem for part in ("services", "chassis", "anju") for problem in collect.input_problems(ROOT / part)),
    ]


if __name__ == "__main__":
    refused = problems()
    print("\n".join(refused), file=sys.stderr if refused else sys.stdout, end="\n" if refused else "")
    sys.exit(1 if refused else 0)
