"""Speed, as ratios between ours and its peers in the same run: `make bench`. Never an assertion."""
