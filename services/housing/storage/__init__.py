"""Housing's tables and what is read and written in them; an operator's data are sealed here and nowhere else."""
