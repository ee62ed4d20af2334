"""Measures that torchmetrics has not."""
