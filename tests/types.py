"""Are all public signatures typed, down to every argument? `python -m tests.types` asks pyright.

It looks at the names in albert_tf/__init__.pyi and at the public members of the classes among them.
"""

import json
import pathlib
import subprocess
import sys

import albert_tf

ROOT = pathlib.Path(__file__).parent.parent


def untyped():
    """{public symbol: what pyright says of it}, of those whose types are not known."""
    command = ["/root/venv-front/bin/pyright", "--pythonpath", "/root/venv/bin/python"]
    command += ["--verifytypes", "albert_tf", "--ignoreexternal", "--outputjson"]
    process = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    symbols = json.loads(process.stdout)["typeCompleteness"]["symbols"]
    public = {f"{module}.{name}" for module, name in albert_tf._PUBLIC.values()}
    found = [s for s in symbols if any(f"{s['name']}.".startswith(f"{p}.") for p in public)]
    assert public - {"albert_tf.albert_tiny_en"} <= {s["name"] for s in found}
    return {
        s["name"]: [d["message"] for d in s["diagnostics"]] for s in found if not s["isTypeKnown"]
    }


if __name__ == "__main__":
    symbols = untyped()
    for symbol, messages in symbols.items():
        print(symbol, *messages, sep="\n  ")
    sys.exit(f"error: {len(symbols)} public symbols need types. See above." if symbols else 0)
