"""Notebooks as pages of the site: text, code, and the outputs that they were kept with."""

import base64
import json
import re

_PICTURES = {"image/svg+xml": "svg", "image/png": "png"}


def notebook_page(path):
    """The page of a notebook.

    Args:
      path: pathlib.Path of the .ipynb file.

    Returns:
      (Markdown, {name of a picture beside the page: bytes}).
    """
    name, pictures, parts = path.stem, {}, []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            # Links go to pages, as in the repository; the title is followed by the file itself.
            link = f"\\1\n\n[Download this notebook]({path.name})."
            parts.append(text if parts else re.sub(r"\A(# .*)$", link, text, flags=re.M))
            continue
        parts.append(f"```python\n{text}\n```")
        streams = [o for o in cell["outputs"] if "text" in o]
        printed = "".join("".join(output["text"]) for output in streams)
        if printed := re.sub(r".*\r(?!\n)", "", printed).strip("\n"):
            parts.append(f'```text title="Output"\n{printed}\n```')
        for output in cell["outputs"]:
            for kind, ending in _PICTURES.items():
                if content := "".join(output.get("data", {}).get(kind, "")):
                    picture = f"{name}_{len(pictures)}.{ending}"
                    svg = ending == "svg"
                    pictures[picture] = content.encode() if svg else base64.b64decode(content)
                    parts.append(f"![What the program above draws]({picture})")
                    break
    return "\n\n".join(parts) + "\n", pictures
