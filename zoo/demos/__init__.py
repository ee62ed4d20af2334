"""The lecture's picture demos, one file each."""
