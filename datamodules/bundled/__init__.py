"""Data that need no download, one file each."""
