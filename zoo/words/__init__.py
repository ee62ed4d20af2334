"""Word vectors: keyed by words, their files, what they are worth, and how they are learned."""
