"""What people read of runs and weights, as HTML that opens from disk."""
