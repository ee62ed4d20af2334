"""What changes batches on their way to a model."""
