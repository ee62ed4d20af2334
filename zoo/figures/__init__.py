"""The kinds of pictures that a model may give, and how each becomes PNG, SVG and HTML."""
