"""Renaming of state dict keys in either direction.

A table contains pairs of templates, such as `("l{block}.tcn1.{rest}",
"backbone.gcn.{block}.tcn.{rest}")`. `{rest}` matches any text. All other names
match numbers.
"""

import re
from collections.abc import Iterable, Iterator

from torch import Tensor

Table = Iterable[tuple[str, str]]


def rename(state: dict[str, Tensor], table: Table) -> dict[str, Tensor]:
    """Rename the keys of `state` by the first matching template.

    Raises:
        KeyError: no template matches a key. The argument is the key.
    """
    patterns = [(_pattern(theirs), ours) for theirs, ours in table]
    return {_renamed(key, patterns): value for key, value in state.items()}


def reverse(table: Table) -> Iterator[tuple[str, str]]:
    """Return a table with the templates of each pair swapped."""
    return ((ours, theirs) for theirs, ours in table)


def fits(keys: Iterable[str], table: Table) -> bool:
    """Return whether each key matches a template."""
    patterns = [_pattern(theirs) for theirs, _ in table]
    return all(any(pattern.fullmatch(key) for pattern in patterns) for key in keys)


def _renamed(key: str, patterns: Iterable[tuple[re.Pattern[str], str]]) -> str:
    for pattern, template in patterns:
        match = pattern.fullmatch(key)
        if match:
            return template.format(**match.groupdict())
    raise KeyError(key)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"{(\w+)}", template)
    for index in range(1, len(parts), 2):
        name = parts[index]
        parts[index] = f"(?P<{name}>{'.+' if name == 'rest' else '[0-9]+'})"
    parts[::2] = map(re.escape, parts[::2])
    return re.compile("".join(parts))
