"""Registration's tables and what is read and written in them; personal fields are sealed here and nowhere else."""
