"""The one door to data: where they lie, how they are laid out, their splits."""
