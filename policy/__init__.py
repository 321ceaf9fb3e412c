"""What a law or a city sets: dated rule packs, the working-day calendar, the purposes a role may read for."""
