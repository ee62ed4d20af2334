"""What a config may hold, and which classes it may name."""
