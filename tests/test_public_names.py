"""The names that semver covers: albert_tf/__init__.pyi."""

import ast
import inspect
import pathlib
import re

import pytest

import albert_tf

ROOT = pathlib.Path(__file__).parent.parent
# Examples are commands, too, and fail as commands do.
# A step of the packaged model's making, which goes with the sources of the day.
MAKERS = {"05_distill.py"}
ALSO_USED = {"albert_tf.commands.run": {"run"}}


def programs():
    """(name, text) of all programs that a reader is shown."""
    for path in sorted((ROOT / "examples").glob("*.py")):
        if path.name not in MAKERS:
            yield path.name, path.read_text()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for i, program in enumerate(re.findall(r"```python\n(.*?)```", path.read_text(), re.S)):
            yield f"{path.name}-{i}", program


@pytest.mark.parametrize("name, program", [pytest.param(*p, id=p[0]) for p in programs()])
def test_examples_and_documents_use_public_names_only(name, program):
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "albert_tf":
            public = {"albert_tf": set(albert_tf.__all__), **ALSO_USED}.get(node.module, set())
            assert {alias.name for alias in node.names} <= public, ast.unparse(node)
        elif isinstance(node, ast.Import):
            assert not any(alias.name.startswith("albert_tf.") for alias in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "albert_tf":
            assert node.attr in albert_tf.__all__


def test_the_list_is_sorted_and_whole():
    stub = ast.parse((ROOT / "albert_tf" / "__init__.pyi").read_text())
    (listed,) = [ast.literal_eval(n.value) for n in stub.body if isinstance(n, ast.Assign)]
    assert listed == albert_tf.__all__ == sorted(set(listed))
    assert set(listed) <= set(dir(albert_tf))


@pytest.mark.parametrize("name", albert_tf.__all__)
def test_public_names_are_documented(name):
    value = getattr(albert_tf, name)
    assert value.__doc__ and value.__doc__ is not type(value).__doc__ or not callable(value)
    # Importing a submodule of the same name would put it in the place of the public object.
    folder = ROOT / "albert_tf"
    same = (folder / f"{name}.py").exists() or (folder / name).exists()
    assert same == inspect.ismodule(value)
    with pytest.raises(AttributeError, match="module 'albert_tf' has no attribute 'Albert'"):
        albert_tf.Albert  # noqa: B018


# Not typed yet: `encode`.
UNTYPED = {"AlbertEncoder"}


def untyped(function):
    """What in the signature of a function has no type."""
    signature = inspect.signature(function)
    names = [
        name
        for name, parameter in signature.parameters.items()
        if name not in ("self", "cls") and parameter.annotation is parameter.empty
    ]
    return names + ["return"] * (signature.return_annotation is signature.empty)


def functions(value):
    """{name: function} of a public function, or of what a class itself defines for its users."""
    if inspect.isfunction(value):
        return {value.__name__: value}
    members = vars(value) if inspect.isclass(value) else {}
    found = {}
    for name, member in members.items():
        member = getattr(member, "__func__", getattr(member, "fget", member))
        is_own = inspect.isfunction(member) and member.__module__ == value.__module__
        if is_own and (not name.startswith("_") or name in ("__init__", "__call__")):
            found[name] = member
    return found


@pytest.mark.parametrize("name", albert_tf.__all__)
def test_public_signatures_are_typed(name):
    found = {n: untyped(function) for n, function in functions(getattr(albert_tf, name)).items()}
    assert any(found.values()) == (name in UNTYPED), found
