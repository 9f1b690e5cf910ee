"""Where the public names of the package are defined."""

import ast
import functools
import pathlib

PACKAGE = pathlib.Path(__file__).parent.parent / "albert_tf"


@functools.cache
def public_names():
    """{public name: its full path}, without importing anything."""
    stub = PACKAGE / "__init__.pyi"
    if stub.exists():
        return {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in ast.parse(stub.read_text()).body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
    for node in ast.parse((PACKAGE / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "_PUBLIC":
            modules = ast.literal_eval(node.value)
            return {name: f"albert_tf.{module}.{name}" for name, module in modules.items()}
