"""Does a test file depend on Keras, whose generations differ? If not, one run of it is enough.

It does if the file, a program in it, a fixture that it names, or a module of this project that
these import, at any depth, names Keras, imports by computed names or takes the package as a whole.
What the sources do not tell, fails: where Keras is not used, tests cannot import it.
"""

import ast
import functools
import pathlib
import sys

ROOT = pathlib.Path(__file__).parent.parent
FORBIDDEN = ("albert_tf._keras", "keras", "tf_keras")
# What runs code that is not imported in sight.
ELSEWHERE = {"subprocess", "runpy", "importlib"}


@functools.cache
def uses_keras(path):
    """Whether the tests in the file `path` may depend on Keras."""
    path = pathlib.Path(path)
    tree = ast.parse(path.read_text())
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    texts = {node.value for node in ast.walk(tree) if _is_text(node)} - _docstrings(tree)
    return (
        any("keras" in text.lower() for text in texts)
        or _reach_keras([tree, *_programs(tree, texts)], starts_programs=True)
        or not arguments.isdisjoint(_keras_fixtures(path))
    )


def _programs(tree, texts):
    """The syntax trees of the texts that are programs, for `python -c`."""
    computed = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    if "-m" in texts or any("import " in text for text in computed):
        return [ast.parse("import keras")]  # Nobody knows.
    return [ast.parse(text) for text in texts if _is_program(text)]


def forbid():
    """From now on, importing Keras is an error in this process."""
    for name in FORBIDDEN:
        sys.modules[name] = None


def _keras_fixtures(path):
    """The fixtures in the conftest.py files for `path` that depend on Keras."""
    found = set()
    for folder in reversed(path.parents):
        conftest = folder / "conftest.py"
        if conftest.exists():
            body = ast.parse(conftest.read_text()).body
            for fixture in filter(_is_function, body):
                arguments = {argument.arg for argument in fixture.args.args}
                # Names at the top of the file are every function's.
                nodes = [fixture, *(node for node in body if not _is_function(node))]
                if not arguments.isdisjoint(found) or _reach_keras(nodes):
                    found.add(fixture.name)
    return found


def _reach_keras(nodes, starts_programs=False):
    """Whether these syntax trees, or the files that they import, and so on, name Keras."""
    found, files = _look_at(nodes, ELSEWHERE - {"subprocess"} if starts_programs else ELSEWHERE)
    todo, seen = list(files), set(files)
    while todo and not found:
        found, files = _look_at_file(todo.pop())
        todo += files - seen
        seen |= files
    return found


@functools.cache
def _look_at_file(file):
    if file == ROOT / "tests/programs.py":  # As subprocess: the programs are looked at.
        return False, set()
    body = ast.parse(file.read_text()).body
    # Whoever imports a conftest.py does not call its fixtures.
    is_conftest = file.name == "conftest.py"
    return _look_at([node for node in body if not (is_conftest and _is_function(node))])


def _look_at(nodes, elsewhere=ELSEWHERE):
    """(whether the syntax trees name Keras, the files of this project that they import)."""
    nodes = [node for tree in nodes for node in ast.walk(tree)]
    files = {file for node in nodes for file in _imported_files(node)}
    names = {name for node in nodes for name in _names(node)}
    found = any("keras" in name.lower() for name in names) or not names.isdisjoint(elsewhere)
    return found or ROOT / "albert_tf/__init__.py" in files, files


def _names(node):
    """The identifiers in a node of a syntax tree, without its children's."""
    if isinstance(node, ast.Import):
        return [part for alias in node.names for part in alias.name.split(".")]
    if isinstance(node, ast.ImportFrom):
        return [*(node.module or "").split("."), *(alias.name for alias in node.names)]
    return [getattr(node, name) for name in ("id", "attr") if hasattr(node, name)]


def _imported_files(node):
    """The files of this project that an import statement names."""
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "imports are absolute here"
        modules = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        return
    for module in modules:
        path = ROOT.joinpath(*module.split("."))
        # `from a.b import c`: c is a module, or something in a.b.
        candidates = [path] if isinstance(node, ast.Import) else [path, path.parent]
        files = [file for p in candidates for file in (p.with_suffix(".py"), p / "__init__.py")]
        yield from [file for file in files if file.exists()][:1]


def _is_function(node):
    return isinstance(node, ast.FunctionDef)


def _is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_program(text):
    try:
        return any(
            isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(ast.parse(text))
        )
    except (SyntaxError, ValueError):
        return False


def _docstrings(tree):
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = [node for node in ast.walk(tree) if isinstance(node, documented)]
    return {ast.get_docstring(node, clean=False) for node in nodes}
