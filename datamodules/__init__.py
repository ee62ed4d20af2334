"""Datamodules: raw images, text, video and sound as batches, each named for its data."""
