"""What reading and loading data stand on: compiled code, seeded draws, the cache."""
