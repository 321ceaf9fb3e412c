"""Registration's write path against pgbench, which sends the same statements and does nothing else."""
