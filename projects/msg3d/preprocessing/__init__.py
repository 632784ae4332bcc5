"""Array operations on keypoints `[M, T, V, C]`, shared by training and prediction."""

__all__: list[str] = []
