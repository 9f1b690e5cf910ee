"""Runs the notebooks and keeps their outputs: `python docs/run_notebooks.py [NAME ...]`.

Needs nbclient and ipykernel, which the extra `dev` has. A cell with the tag `varies` prints
something else each time; of the others, a test compares the output.
"""

import pathlib
import re
import shutil
import sys
import tempfile

import nbformat

NOTEBOOKS = pathlib.Path(__file__).parent / "notebooks"


def executed(path):
    """The notebook with the outputs of a run, in a folder of its own."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(NOTEBOOKS / "matplotlibrc", folder)
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # Times.
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]  # Progress.
            for output in cell.outputs:
                if "text" in output:
                    output.text = _without_places(output.text, folder)
            cell.outputs = [o for o in cell.outputs if o.get("text") != ""]
    return notebook


def _without_places(text, folder):
    """What was printed, without where this machine keeps things, and without TensorFlow's log."""
    for place in (folder, NOTEBOOKS.parent.parent):
        text = text.replace(f"{place}/", "")
    return re.sub(r"^INFO:tensorflow:.*\n", "", text, flags=re.M)


def printed(cell):
    """What a cell has printed, without what pictures and progress leave."""
    return "".join(re.sub(r".*\r(?!\n)", "", o.text) for o in cell.outputs if "text" in o)


def main(names):
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if not names or path.stem in names:
            nbformat.write(executed(path), path)


if __name__ == "__main__":
    main(sys.argv[1:])
