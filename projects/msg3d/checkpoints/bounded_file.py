"""A file that refuses, before any memory is taken, to read beyond its end.

Checkpoints of torch's old form (before 1.6) name the length of what follows; torch reads
as much as they say.
"""

import io
import os


class BoundedFile(io.BufferedReader):
    """`open(path, "rb")`, for readers that believe what a file says.

    Raises:
        OSError: the file cannot be opened.
        EOFError: more is read than there is.
    """

    def __init__(self, path: str) -> None:
        super().__init__(io.FileIO(path))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, count: int | None = -1) -> bytes:
        if count is not None and count > max(self._size - self.tell(), 2**16):
            raise EOFError(f"{count} bytes promised, {self._size - self.tell()} left")
        return super().read(count)
