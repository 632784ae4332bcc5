"""Safe parser for the config that MMEngine stores in a checkpoint.

MMEngine writes the text of the complete config, `Config.pretty_text`, to `meta['cfg']`.
It consists of assignments of literals and `dict(...)`. Everything else is rejected, and
nothing is executed.

Building a network from this data can still execute code, because MMEngine's registries
import the module of an unknown `type`. `known_types` restricts them to skeleton
networks and their pipelines.
"""

import ast
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry

from ..errors import CheckpointError, MSG3DError

MAX_CHARACTERS = 2**20
MAX_DEPTH = 64
# Operators; texts with more than `MAX_DEPTH` of them are rejected before parsing.
KEYWORDS = {"and", "await", "else", "if", "in", "is", "lambda", "not", "or"}
# Sections required for prediction. `custom_imports`, hooks, and so on are ignored.
SECTIONS = ("model", "test_dataloader")
SCOPES = ("mmaction", "mmcv", "mmengine")
PACKAGES = ("msg3d", *SCOPES, "torch")
# Modules of the classes that may be built: networks and transforms for skeletons.
MODULES = (
    "msg3d.datasets.transforms.",
    "msg3d.models.",
    "mmaction.datasets.transforms.formatting.",
    "mmaction.datasets.transforms.pose_transforms.",
    "mmaction.models.backbones.aagcn.",
    "mmaction.models.backbones.stgcn.",
    "mmaction.models.data_preprocessors.",
    "mmaction.models.heads.gcn_head.",
    "mmaction.models.losses.",
    "mmaction.models.recognizers.recognizer_gcn.",
    "mmaction.models.utils.",
    "mmcv.cnn.bricks.",
    "mmengine.model.base_model.data_preprocessor.",
    "torch.nn.",
)


class StoredConfig(Config):
    """Config from a checkpoint, to be built within `known_types`."""


def stored_config(
    meta: Mapping[str, Any], file: str, sections: Sequence[str] = SECTIONS
) -> StoredConfig:
    """Return sections of a checkpoint's config.

    Args:
        meta: metadata of the checkpoint.
        file: the checkpoint, for errors and as the config's `filename`.
        sections: names of the sections, by default those that prediction requires.

    Raises:
        CheckpointError: there is no config (kind `config`), its text is not plain data
            (kind `unsafe`), or a layout file that it uses does not exist (kind
            `not-found`).
    """
    text = meta.get("cfg")
    if not isinstance(text, str) or not text.strip():
        raise CheckpointError(
            "the checkpoint contains no config. Pass the config of the training: "
            f"`msg3d predict CONFIG INPUT --checkpoint {file}`, or `msg3d test CONFIG "
            f"{file}`",
            kind="config",
            file=file,
        )
    try:
        values = parse_config(text)
        scope = values.get("default_scope") or "mmaction"
        values = {key: values[key] for key in sections if key in values}
        _check_names(dict(values, _scope_=scope))
    except CheckpointError as error:
        raise error.at(file=file) from error
    if not isinstance(values.get("model"), dict):
        raise CheckpointError(
            "the config in the checkpoint has no model. Pass a config and "
            "--checkpoint.",
            kind="config",
            file=file,
        )
    for layout in _layout_files(values):
        if not Path(layout).is_file():
            raise CheckpointError(
                f"the config in the checkpoint uses the layout file {layout}, which "
                "does not exist. Copy it to this path, or pass a config and "
                "--checkpoint.",
                kind="not-found",
                file=file,
            )
    return StoredConfig(dict(values, default_scope=scope), cfg_text=text, filename=file)


def parse_config(text: str) -> dict[str, Any]:
    """Parse the text of a config as data.

    Args:
        text: assignments to names at the top level. Values consist of strings, numbers
            (also `inf` and `nan`), True, False, None, lists, tuples, dictionaries, and
            `dict(name=value, ...)` or `dict({...})`, as MMEngine writes them.

    Raises:
        CheckpointError: the text contains anything else, is too long, or is nested too
            deeply (kind `unsafe`). The error contains the line number.
    """
    if len(text) > MAX_CHARACTERS:
        raise _rejected(f"{len(text)} characters, expected at most {MAX_CHARACTERS}")
    body, line = None, None
    _check_operators(text)
    try:
        body = ast.parse(text).body
    except SyntaxError as error:
        line = error.lineno
    # The parser raises MemoryError for deep nesting.
    except (ValueError, RecursionError, MemoryError):
        pass
    if body is None:
        raise _rejected("invalid syntax, or nested too deeply", line)
    config = {}
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                config[name] = _value(value)
            case _:
                raise _rejected_node(statement)
    return config


def _check_operators(text: str) -> None:
    """Reject chains such as `1 + 1 + 1 + ...`, which crash the parser of Python 3.10.

    The parser limits the depth of brackets, but not of operators, attributes, and
    calls.
    """
    chained, previous = 0, "="
    try:
        for token in tokenize.generate_tokens(StringIO(text).readline):
            what = token.string
            if token.type == tokenize.OP:
                after_value = previous not in "=([{,:"
                if (
                    what not in "=()[]{},:-"
                    or (what == "-" and after_value)
                    or (what in "([" and previous in ")]")
                ):
                    chained += 1
            elif token.type == tokenize.NAME and what in KEYWORDS:
                chained += 1
            if chained > MAX_DEPTH:
                raise _rejected("operators", token.start[0])
            previous = what
    except (tokenize.TokenError, SyntaxError):
        pass  # parsing reports it


def _value(node: ast.expr, depth: int = 1) -> Any:
    if depth > MAX_DEPTH:
        raise _rejected(f"more than {MAX_DEPTH} levels of nesting", node.lineno)

    def values(nodes: Sequence[ast.expr]) -> list[Any]:
        return [_value(item, depth + 1) for item in nodes]

    match node:
        case ast.Constant(value=str() | int() | float() | None as value):
            return value
        case ast.Name(id="inf" | "nan" as name):  # str() of a float
            return float(name)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() | ast.Name() as operand):
            number = _value(operand, depth + 1)
            if type(number) in (int, float):
                return -number
        case ast.List(elts=items):
            return values(items)
        case ast.Tuple(elts=items):
            return tuple(values(items))
        case ast.Dict(keys=keys, values=items):
            constants = [key for key in keys if isinstance(key, ast.Constant)]
            if len(constants) == len(keys):
                return dict(zip(values(constants), values(items), strict=True))
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords) if all(
            keyword.arg for keyword in keywords
        ):
            names = [keyword.arg for keyword in keywords]
            return dict(
                zip(names, values([item.value for item in keywords]), strict=True)
            )
        case ast.Call(func=ast.Name(id="dict"), args=[ast.Dict() as item], keywords=[]):
            return _value(item, depth + 1)
    raise _rejected_node(node)


def _rejected_node(node: ast.expr | ast.stmt) -> CheckpointError:
    return _rejected(type(node).__name__, node.lineno)


def _rejected(what: str, line: int | None = None) -> CheckpointError:
    place = f"line {line} of " if line else ""
    return CheckpointError(
        f"{place}the config in the checkpoint is not plain data ({what}). No code was "
        "executed. Only literals and dict(...) are supported. Pass a trusted config "
        "and --checkpoint.",
        kind="unsafe",
        line=line,
    )


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each key and value of nested dictionaries."""
    if isinstance(value, dict):
        yield from value.items()
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _items(item)


def _check_names(values: dict[str, Any]) -> None:
    """Reject names from other packages, some of which MMAction2 imports itself."""
    for key, value in _items(values):
        package = str(value).partition(".")[0]
        if key == "_scope_" and value not in SCOPES:
            raise _unknown_type(value)
        if key == "type" and package != value and package not in PACKAGES:
            raise _unknown_type(value)


def _layout_files(values: dict[str, Any]) -> Iterator[str]:
    for key, value in _items(values):
        if (
            key in ("layout", "source", "target")
            and isinstance(value, str)
            and value.lower().endswith(".json")
        ):
            yield value


@contextmanager
def known_types(file: str) -> Iterator[None]:
    """Restrict registries to classes of `MODULES`, without further imports.

    A `type` with dots is looked up by its last part.

    NOTE: this affects the whole process, not only this thread.

    Args:
        file: the checkpoint, for errors.

    Raises:
        CheckpointError: another class is requested (kind `unsafe`), or the network
            cannot be built (kind `config`).
    """

    def get(registry: Registry, key: str) -> Callable[..., Any]:
        name = str(key).rpartition(".")[2]
        parent = registry
        while parent is not None:
            parent.import_from_location()
            part = parent.module_dict.get(name)
            if part is not None and _is_known(part):
                return part
            parent = parent.parent
        raise _unknown_type(key).at(file=file)

    original = Registry.get
    Registry.get = get
    try:
        yield
    except MSG3DError:
        raise
    # Arbitrary arguments cause arbitrary exceptions.
    except Exception as error:
        why = " ".join(str(error).split())
        raise CheckpointError(
            "the config in the checkpoint does not describe a skeleton network "
            f"({type(error).__name__}: {why:.200}). Pass a config and --checkpoint.",
            kind="config",
            file=file,
        ) from error
    finally:
        Registry.get = original


def _is_known(part: Callable[..., Any]) -> bool:
    module = getattr(part, "__module__", None) or ""
    return f"{module}.".startswith(MODULES)


def _unknown_type(name: Any) -> CheckpointError:
    return CheckpointError(
        f"the config in the checkpoint uses {name!r:.80}, which is not part of msg3d "
        "or MMAction2's skeleton networks. Nothing was imported. Pass a trusted config "
        "and --checkpoint.",
        kind="unsafe",
    )
