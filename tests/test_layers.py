"""Checks of the layers of subpackages that import-linter does not support.

`make lint` checks imports against the layers contract in `pyproject.toml`. These tests
read the layers from the contract, check module names in strings, and detect import
cycles.
"""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

from conftest import REPOSITORY, pyproject

PACKAGE = REPOSITORY / "projects" / "msg3d"
TOOLS = REPOSITORY / "tools"
CONTRACTS = pyproject()["tool"]["importlinter"]["contracts"]
# Lowest first.
LAYERS = [layer.strip("()") for layer in reversed(CONTRACTS[0]["layers"])]

IMPORTERS = ("import_module", "__import__", "find_spec", "run_module", "resolve_name")
# Modules that import third-party packages by names from files and tables.
EXEMPT = [
    "msg3d",
    *(f"msg3d.compat.{m}" for m in ("mmaction", "on_import", "versions")),
]
UNKNOWN = "\0"  # placeholder for non-constant parts of a name


def modules(folder: Path) -> dict[str, Path]:
    """Return the modules of a package by name, without configs."""
    paths = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        if "configs" not in parts and ".mim" not in parts:
            paths[".".join(parts).removesuffix(".__init__")] = path
    return paths


MODULES = modules(PACKAGE)


def package_of(name: str, path: Path) -> str:
    return name if path.name == "__init__.py" else name.rpartition(".")[0]


def text_of(node: ast.AST, tree: ast.Module, package: str) -> str:
    """Evaluate a string expression, with UNKNOWN for parts that are not constant."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part, tree, package) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return text_of(node.value, tree, package)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left, tree, package) + text_of(node.right, tree, package)
    if isinstance(node, ast.Name):
        if node.id == "__package__":
            return package
        values = [
            assigned.value
            for assigned in ast.walk(tree)
            if isinstance(assigned, ast.Assign)
            for target in assigned.targets
            if isinstance(target, ast.Name) and target.id == node.id
        ]
        if len(values) == 1:
            return text_of(values[0], tree, package)
    return UNKNOWN


def modules_in_strings(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of modules in strings; names may contain UNKNOWN parts.

    Supported are arguments of import functions, full names of modules of msg3d (as in
    the `locations` of a registry), and `custom_imports` in the text of configs.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            function = getattr(node.func, "attr", getattr(node.func, "id", None))
            if function in IMPORTERS:
                name = text_of(node.args[0], tree, package)
                yield node.lineno, resolve_name(name, package)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in MODULES and node.value != "msg3d":
                yield node.lineno, node.value
            if "custom_imports" in node.value:
                for name in re.findall(r"['\"](msg3d(?:\.\w+)+)['\"]", node.value):
                    yield node.lineno, name


def fault(importer: str, imported: str) -> str | None:
    """Return why a module must not import another module, or None if it may."""
    root, _, rest = imported.partition(".")
    if UNKNOWN in root or (root == "msg3d" and UNKNOWN in rest.partition(".")[0]):
        return "the name of the subpackage is not constant"
    if root != "msg3d":
        return None
    if not rest:
        return "only programs and configs may import the package root"
    layer, own = rest.partition(".")[0], importer.split(".")[1]
    if LAYERS.index(layer) > LAYERS.index(own):
        return f"{layer} is a later layer than {own}"
    return None


def test_contract_lists_all_subpackages():
    missing = {name.split(".")[1] for name in MODULES if "." in name} - {*LAYERS}
    assert not missing


def test_layers_below_compat_do_not_import_torch():
    expected = [f"msg3d.{layer}" for layer in LAYERS[: LAYERS.index("compat")]]
    assert CONTRACTS[1]["source_modules"] == expected


def test_modules_in_strings_are_in_lower_layers():
    faults = [
        f"{path}:{line}: {imported!r}: {reason}"
        for name, path in MODULES.items()
        if name not in EXEMPT
        for line, imported in modules_in_strings(
            path.read_text(encoding="utf-8"), package_of(name, path)
        )
        if (reason := fault(name, imported))
    ]
    assert not faults


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("import_module('msg3d.io.npy')", True),
        ("import_module('torch')", True),
        ("import_module('.later', __package__)", True),
        ("import_module('..apis.stream', __package__)", False),
        ("importlib.import_module('msg3d.apis')", False),
        ("import_module('msg3d')", False),
        ("__import__('msg3d.cli.main')", False),
        ("import_module(f'..apis.{name}', __package__)", False),
        ("import_module(f'..io.{name}', __package__)", True),
        ("import_module(f'msg3d.{name}')", False),
        ("import_module(name)", False),
        ("name = '..apis'\nimport_module(name + '.stream', __package__)", False),
        ("Registry('data', locations=['msg3d.apis.stream'])", False),
        ("Registry('data', locations=['msg3d.io'])", True),
        ("MODELS._locations.append('msg3d.apis')", False),
        ("cfg = dict(custom_imports=dict(imports=['msg3d.apis']))", False),
        ("cfg = dict(custom_imports=dict(imports=['msg3d']))", True),
        ('''text = "custom_imports = dict(imports=['msg3d.apis'])"''', False),
        ('''text = "custom_imports = dict(imports=['msg3d'])"''', True),
    ],
)
def test_modules_in_strings(source, allowed):
    names = modules_in_strings(source, "msg3d.formats")
    assert any(fault("msg3d.formats.base", name) for _, name in names) != allowed


def test_configs_import_the_package_root():
    for path in (PACKAGE / "configs").rglob("*.py"):
        names = re.findall(
            r"['\"](msg3d(?:\.\w+)+)['\"]", path.read_text(encoding="utf-8")
        )
        assert not MODULES.keys() & {*names}, path


def imports(name: str, path: Path, known: dict[str, Path]) -> set[str]:
    """Return the known modules that a module imports, including inside functions."""
    imported = set()
    package = package_of(name, path)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                module = f"{start}.{alias.name}"
                imported.add(module if module in known else start)
    return imported & known.keys()


PROGRAMS = [REPOSITORY / "benchmarks", REPOSITORY / "studies"]


def test_no_import_cycles():
    packages = [PACKAGE, *PROGRAMS]
    packages += [path.parent for path in TOOLS.glob("*/__init__.py")]
    known = {
        name: path for folder in packages for name, path in modules(folder).items()
    }
    graph = {name: imports(name, path, known) for name, path in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' <- '.join(error.args[1])}")


def test_benchmarks_and_studies_are_not_imported():
    benchmarks, studies = map(modules, PROGRAMS)
    for folder, known in (
        (PACKAGE, {**benchmarks, **studies}),
        (TOOLS, {**benchmarks, **studies}),
        (PROGRAMS[0], studies),  # studies may import benchmarks
    ):
        for name, path in modules(folder).items():
            assert not imports(name, path, known), path


def test_figure_shows_the_layers():
    svg = (REPOSITORY / "docs" / "pictures" / "layers.svg").read_text(encoding="utf-8")
    names = re.findall(r'font-weight="bold">(\w+)</text>', svg)
    assert names == [layer for layer in reversed(LAYERS) if layer != "__main__"]
