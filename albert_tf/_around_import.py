"""Something to do around the import of another package, whenever that happens, if ever."""

import sys


def around_import(package, context):
    """Has `package`, which is not imported yet, be imported within `context()`.

    Args:
      package: Name of a top-level package.
      context: Function that returns a context manager.
    """
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    finder = next(finder for finder in sys.meta_path if isinstance(finder, _Finder))
    finder.contexts[package] = context


class _Finder:
    """In sys.meta_path, it has the other finders find a package, and wraps its execution."""

    def __init__(self):
        self.contexts = {}

    def find_spec(self, name, path=None, target=None):
        if name not in self.contexts:
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next(filter(None, specs), None)
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def exec_module(module):
                context = self.contexts.get(name)
                if context is None:  # Somebody loads it again.
                    return execute(module)
                with context():
                    execute(module)
                del self.contexts[name]

            spec.loader.exec_module = exec_module
        return spec
