"""The house: floors, what an import loads, sizes."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "tts_explorer"
FLOORS = {
    0: "errors events",
    1: "tree cost assets expressions equality intervals processes workers",
    2: "moves models.base tasks.base outcomes tongue",
    3: "strategies answers estimates models tasks wire",
    4: "runner store viz importers",
    5: "lab ui train bench",
    6: "app",
    7: "cli",
    8: "__main__",
}
"""DESIGN §3, from the ground up; a module is on the floor of the longest name here that it begins with."""
FLOOR_OF = {name: floor for floor, names in FLOORS.items() for name in names.split()}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def name_of(path: Path) -> str:
    """The module's name within the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def part_of(module: str) -> str | None:
    """The entry of FLOORS that a module belongs to."""
    parts = module.split(".")
    return next((name for i in range(len(parts), 0, -1) if (name := ".".join(parts[:i])) in FLOOR_OF), None)


def imported(path: Path) -> set[str]:
    """Modules of this package that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} line {node.lineno}: imports here are absolute"
            if node.module == "tts_explorer":
                found |= {alias.name for alias in node.names}
            elif (node.module or "").startswith("tts_explorer."):
                base = node.module.removeprefix("tts_explorer.")
                found |= {deeper if part_of(deeper := f"{base}.{a.name}") != part_of(base) else base for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("tts_explorer.") for a in node.names if a.name.startswith("tts_explorer.")}
    return found


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_imports_from_lower_floors_only(path):
    """Inside one part (`runner`, `ui`, …) modules may import one another; parts on one floor may not."""
    mine = part_of(name_of(path))
    assert mine is not None, f"{name_of(path)} is on no floor of DESIGN §3"
    for module in imported(path):
        other = part_of(module)
        assert other is not None, f"{name_of(path)} imports {module}, which is on no floor"
        assert other == mine or FLOOR_OF[other] < FLOOR_OF[mine], f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("part", ["strategies", "models", "tasks"])
def test_siblings_found_by_name_do_not_import_one_another(part):
    for path in (PACKAGE / part).glob("*.py"):
        if path.name not in ("__init__.py", "base.py") and part != "models":
            siblings = {name for name in imported(path) if name.startswith(f"{part}.") and name != f"{part}.base"}
            assert not siblings, f"{name_of(path)} imports {siblings}"


def test_strategies_see_no_model_and_models_see_no_tree():
    for path in (PACKAGE / "strategies").glob("*.py"):
        if path.name != "__init__.py":
            assert imported(path) <= {"moves", "tree", "errors"}, path.name
    for path in (PACKAGE / "models").glob("*.py"):
        assert not imported(path) & {"tree", "cost", "moves", "strategies", "runner"}, path.name


def test_the_ground_floor_uses_the_standard_library_only():
    for name in ("errors.py", "events.py"):
        for node in ast.walk(ast.parse((PACKAGE / name).read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert all(module.split(".")[0] in sys.stdlib_module_names for module in names), names


@pytest.mark.parametrize("module", ["tts_explorer", "tts_explorer.runner", "tts_explorer.strategies", "tts_explorer.tasks"])
def test_an_import_loads_neither_torch_nor_gradio(module):
    code = f"import sys, {module}; print(sorted({{'torch', 'gradio', 'transformers'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_are_short_enough_to_read(path):
    """300 lines a file, 40 a function."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= 300, f"{name_of(path)} has {len(lines)} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            assert length <= 40, f"{name_of(path)}.{node.name} has {length} lines"


def test_lines_have_at_most_130_characters():
    """The width that pyproject.toml names."""
    lines = [(name_of(path), i, line) for path in FILES for i, line in enumerate(path.read_text("utf-8").splitlines(), 1)]
    assert not [(name, i) for name, i, line in lines if len(line) > 130]


@pytest.mark.parametrize("path", [PACKAGE / "__init__.py", *FILES], ids=lambda path: path.stem)
def test_a_docstring_says_what_a_module_is_for(path):
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))
