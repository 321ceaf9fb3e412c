"""`python -m anju.cli` is `anju`."""

from anju.cli import main

main()
