"""Several processes: who started them, how they talk, how they end."""
