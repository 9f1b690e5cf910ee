"""Makes pages of the site from the code, while MkDocs builds it.

The command reference comes from the commands' flags, the project's pages from the files beside
mkdocs.yml, pages of notebooks from those. On reference pages, `::: albert_tf.Name` becomes the
place where the name is defined.
"""

import json
import pathlib
import re
import subprocess
import sys

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parent.parent
WORKER = "scripts/file_worker.js"
PROJECT = ("BUILD.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")

sys.path[:0] = [str(ROOT), str(ROOT / "docs")]
from notebook_pages import notebook_page  # noqa: E402

import albert_tf  # noqa: E402


def on_files(files, config):
    pages = {f"project/{name.lower()}": _project_page(name) for name in PROJECT}
    pages["reference/commands.md"] = _commands_page()
    for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        pages[f"notebooks/{path.stem}.md"], pictures = notebook_page(path)
        pages |= {f"notebooks/{name}": content for name, content in pictures.items()}
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    def directive(match):
        path = ".".join(albert_tf._PUBLIC[match[1]])
        return f"::: {path}\n    options:\n      heading: {match[1]}\n      toc_label: {match[1]}"

    return re.sub(r"^::: albert_tf\.(\w+)$", directive, markdown, flags=re.M)


def on_post_page(output, page, config):
    """Takes the script for search on the disk from the site, not from a network."""
    return output.replace("https://unpkg.com/iframe-worker/shim", _worker(page))


def on_post_template(output_content, template_name, config):
    return output_content.replace("https://unpkg.com/iframe-worker/shim", WORKER)


def _worker(page):
    return "../" * page.url.count("/") + WORKER


def _project_page(name):
    """A file beside mkdocs.yml; links to the site's pages stay, those to other files do not."""
    text = (ROOT / name).read_text(encoding="utf-8")
    project = "|".join(PROJECT)

    def link(match):
        label, target = match.groups()
        if re.match(rf"({project})(#.*)?$", target):
            return f"[{label}]({target.lower()})"
        if target.startswith("docs/"):
            return f"[{label}](../{target.removeprefix('docs/')})"
        return match[0] if re.match("https?:|#", target) else label

    return re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", link, text)


def _commands_page():
    """All commands with their flags, from what `--help` prints."""
    process = subprocess.run(
        [sys.executable, ROOT / "docs" / "command_help.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if process.returncode:
        raise RuntimeError(f"The commands' help could not be read: {process.stderr}")
    parts = [
        "# Commands",
        "`albert-tf COMMAND --flag=value`, also as `python -m albert_tf COMMAND`. "
        "`albert-tf COMMAND --help` prints what is on this page. A flag that is `--[no]name` is "
        "switched on by `--name` and off by `--noname`.",
    ]
    for command, text in json.loads(process.stdout).items():
        parts += _command(command, text)
    return "\n\n".join(parts) + "\n"


def _command(command, text):
    usage, *paragraphs = text.split("\n\n")
    yield f"## albert-tf {command}"
    yield f"```text\n{usage.removeprefix('usage: ')}\n```"
    for paragraph in paragraphs:
        title, *lines = paragraph.splitlines()
        if any(line.startswith("  --") for line in lines):
            yield f"**{title.removesuffix(':').capitalize()}**"
            yield "\n\n".join(_flags(lines))
        else:
            yield paragraph


def _flags(lines):
    """A definition list."""
    for item in re.split(r"\n(?=  --)", "\n".join(lines)):
        name, *text = item.splitlines()
        yield f"`{name.strip()}`\n:   {_escape(' '.join(map(str.strip, text)))}"


def _escape(text):
    """Text of the help as Markdown: what is in backticks stays as it is."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([*_<\[\]|])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)
