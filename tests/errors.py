"""Check the kind and location of errors, never their wording."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from msg3d.errors import MSG3DError


@contextmanager
def raises(kind: str, error_type: type = MSG3DError, **where) -> Iterator:
    """Expect an error of a kind, similar to `pytest.raises`.

    Args:
        kind: expected `error.kind`.
        error_type: expected class.
        **where: expected attributes of `error.where`. The folder of `file` can be
            omitted.

    Example:
        >>> with raises("row", line=3) as caught:
        ...     read_csv(content)
    """
    with pytest.raises(error_type) as caught:
        yield caught
    error = caught.value
    assert error.kind == kind, f"kind is {error.kind!r}, expected {kind!r}: {error}"
    for name, expected in where.items():
        actual = getattr(error.where, name)
        if name == "file" and actual is not None:
            matches = str(actual).endswith(str(expected))
        else:
            matches = actual == expected
        assert matches, f"{name} is {actual!r}, expected {expected!r}: {error}"
