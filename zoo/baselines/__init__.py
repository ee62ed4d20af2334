"""What stands beside each model: no neural network, the same data and metric."""
