"""Data in memory as batches."""
