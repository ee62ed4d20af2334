"""Weights and their cards: kept, loaded, described, published, exported."""
