"""A baseline for each model: no neural network, the same data and metric."""
