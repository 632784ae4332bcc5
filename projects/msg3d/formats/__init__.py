"""File formats of poses and labeled data sets: one module per format."""

__all__: list[str] = []
