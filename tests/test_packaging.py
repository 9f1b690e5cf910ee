"""pyproject.toml declares what the package imports."""

import ast
import importlib.metadata
import re
import sys
import tomllib

from tests.conftest import TESTS

ROOT = TESTS.parent


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def imported():
    """Names of the modules, of other projects, that the package imports anywhere."""
    for path in (ROOT / "albert_tf").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module


def test_every_import_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]
    declared = {normalized(re.match(r"[\w.-]+", r)[0]) for r in requirements}
    distributions = importlib.metadata.packages_distributions()
    tops = {"protobuf" if name.startswith("google.protobuf") else name for name in imported()}
    tops = {name.partition(".")[0] for name in tops} - {"albert_tf", *sys.stdlib_module_names}
    assert {"h5py", "ml_dtypes", "protobuf", "tensorflow"} <= tops
    missing = {
        name
        for name in tops
        if not {normalized(d) for d in distributions.get(name, [name])} & declared
    }
    assert not missing
