"""Error kinds are listed, documented, and used."""

import ast
import sys
from collections.abc import Iterator

import pytest

from conftest import REPOSITORY
from msg3d import errors
from msg3d.annotations import faults

sys.path.insert(0, str(REPOSITORY / "tools"))
import error_table

PACKAGE = REPOSITORY / "projects" / "msg3d"
KNOWN = errors.KINDS.keys() | faults.KINDS.keys()
# Exception classes, including the aliases of earlier versions.
CLASSES = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.MSG3DError)
}


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE)
        if name.parts[0] not in ("configs", ".mim"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield f"{name}:{node.lineno}", node


def literals(node: ast.AST) -> Iterator[str]:
    """Yield the constant values of an expression."""
    if isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.Constant):
        yield node.value


def kinds_of(call: ast.Call) -> Iterator[str]:
    """Yield the constant kinds of an error or fault."""
    name = getattr(call.func, "attr", getattr(call.func, "id", None))
    if name == "Fault" and call.args:
        yield from literals(call.args[0])
    for keyword in call.keywords:
        if keyword.arg == "kind" and name in CLASSES | {"Fault"}:
            yield from literals(keyword.value)


def test_tables_do_not_overlap():
    assert not errors.KINDS.keys() & faults.KINDS.keys()


def test_used_kinds_are_listed():
    unknown = [
        f"{place}: {kind!r}"
        for place, call in calls()
        for kind in kinds_of(call)
        if kind not in KNOWN
    ]
    assert not unknown


def test_listed_kinds_are_used():
    """Kinds occur as strings in modules, not necessarily in the call of the exception."""
    nodes = [
        node
        for path in PACKAGE.rglob("*.py")
        if path.name not in ("errors.py", "faults.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]
    strings = {node.value for node in nodes if isinstance(node, ast.Constant)}
    # Suffixes of formatted kinds, such as f"{field}-differ".
    suffixes = {
        node.values[-1].value
        for node in nodes
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[-1], ast.Constant)
    }
    suffixes = tuple(
        text for text in suffixes if text[:1] == "-" and text[1:].isalpha()
    )
    unused = [kind for kind in KNOWN - strings if not kind.endswith(suffixes)]
    assert not sorted(unused)


def test_errors_have_a_kind():
    missing = [
        place
        for place, call in calls()
        if getattr(call.func, "id", None) in CLASSES
        and not {keyword.arg for keyword in call.keywords} & {"kind", None}
    ]
    assert not missing, "\n".join(missing)


def test_tests_do_not_check_messages():
    """Tests check `kind` and `where` with `raises` of tests/errors.py."""
    violations = [
        f"{path.relative_to(REPOSITORY)}:{node.lineno}"
        for path in sorted((REPOSITORY / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", None) == "raises"
        and "match" in {keyword.arg for keyword in node.keywords}
        and (CLASSES | {"ValueError"})
        & {getattr(part, "attr", getattr(part, "id", None)) for part in ast.walk(node)}
    ]
    assert not violations, "\n".join(violations)


def test_page_lists_all_kinds():
    page = error_table.PAGE.read_text(encoding="utf-8")
    assert page == error_table.renewed(page), "python tools/error_table.py --write"
    assert "|  |" not in page  # no empty meaning


def test_page_is_updated(monkeypatch, tmp_path, capsys):
    page = error_table.PAGE.read_text(encoding="utf-8")
    old = page.replace("| `row` |", "| `gone` |").replace(
        "| `copy` | warning", "| `a` |"
    )
    monkeypatch.setattr(error_table, "PAGE", tmp_path / "errors.md")
    error_table.PAGE.write_text(old, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["error_table.py"])
    assert error_table.main() == 1
    assert "errors.md" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["error_table.py", "--write"])
    assert error_table.main() == 0
    monkeypatch.setattr(sys, "argv", ["error_table.py"])
    assert error_table.main() == 0
    text = error_table.PAGE.read_text(encoding="utf-8")
    assert "| `row` | A row" in text
    assert "gone" not in text


@pytest.mark.parametrize("kind", ["row", "form"])
def test_location_precedes_the_message(kind):
    error = errors.DataError("is odd", kind=kind, line=3).at(file="a.csv", line=9)
    assert str(error) == "a.csv, line 3: is odd"
    assert error.kind == kind
    assert error.where == errors.Where(file="a.csv", line=3)
