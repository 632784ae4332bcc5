"""Coordinates in parts of the image, 0..1, told from those in pixels."""

# Coordinates beyond this are no parts of the image, even for joints outside of it.
MOST_NORMALIZED = 2.0
