"""Docstrings of this project as Markdown, an extension of griffe.

griffe itself reads the sections Args, Attributes and Raises. Here, `Inputs:`, `Outputs:`,
`Returns:` and the like get headings, their indented lines become lists, examples become code, and
public names become links.
"""

import pathlib
import re
import sys
import textwrap

import griffe

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import albert_tf  # noqa: E402

GRIFFE = ("Args", "Attributes", "Raises")
HEADING = re.compile(
    r"(Inputs?|Outputs?|Inputs of a call|Returns|Yields|Scores|Reference|Source|Example|Examples):"
    r"(?:\s+(.*))?$"
)
ITEM = re.compile(r"([A-Za-z_*][\w.*]*(?:, [a-z_]\w*)*(?: \([^)]*\))?): (\S.*)$")


class Docstrings(griffe.Extension):
    """Rewrites each docstring once it has been read."""

    def on_object(self, *, obj, **kwargs):
        if obj.docstring:
            obj.docstring.value = to_markdown(obj.docstring.value)


def to_markdown(docstring):
    """The docstring with headings, lists and code as Markdown."""
    docstring = re.sub(r"(?m)^Example:\n((?:  .*\n?|\n)+)", _dedented, docstring)
    parts, goes_on = [], False
    for block in _blocks(docstring.splitlines()):
        first = block[0]
        continues = goes_on and first.startswith(" ") and not any(map(_is_item, block))
        goes_on = bool(HEADING.match(first)) and not block[-1].endswith(":")
        if continues:
            parts[-1] += _linked(" " + " ".join(map(str.strip, block)))
            continue
        if first.startswith(">>>"):
            parts.append("\n".join(["```pycon", *block, "```"]))
        elif first.rstrip(":") in GRIFFE:
            parts.append("\n".join(map(_linked, block)))
        elif first.startswith(" "):
            parts.append(_linked(_render(block)))
        elif heading := HEADING.match(first):
            rest = "\n".join([heading[2] or "", *block[1:]]).strip()
            parts.append(_linked(f"**{heading[1]}**" + (f": {rest}" if rest else "")))
        else:
            parts.append(_linked("\n".join(block)))
    return "\n\n".join(parts)


def _dedented(match):
    return f"Example:\n{textwrap.dedent(match[1])}"


def _is_item(line):
    return bool(ITEM.match(line.strip()))


def _blocks(lines):
    """Paragraphs, sections of griffe with what belongs to them, code, and indented blocks."""
    blocks, section, code = [], False, False
    for line in lines:
        indented = line.startswith(" ")
        if not line.strip():
            if section and blocks:
                blocks[-1].append(line)  # A section may go on after an empty line.
            else:
                blocks.append([])
            code = False
            continue
        if section and not indented:
            section = False
            blocks.append([])
        name = line.rstrip(":")
        starts_code = line.startswith(">>>") and not code
        heading = not code and (name in GRIFFE or HEADING.match(line))
        changes = blocks and blocks[-1] and blocks[-1][-1].startswith(" ") != indented
        if not blocks or starts_code or heading or (changes and not section and not code):
            blocks.append([])
        section = section or (name in GRIFFE and line.endswith(":"))
        code = code or starts_code
        blocks[-1].append(line)
    return [block for block in blocks if any(line.strip() for line in block)]


def _render(lines):
    """Indented lines: `name: text` as a list, other text as paragraphs."""
    lines = [line for line in lines if line.strip()]
    base = min(len(line) - len(line.lstrip()) for line in lines)
    parts = []  # Each is [text, lines below it].
    for line in lines:
        if len(line) - len(line.lstrip()) > base:
            parts[-1][1].append(line)
        elif not parts or parts[-1][1] or _is_item(line) or _is_item(parts[-1][0]):
            parts.append([line.strip(), []])
        else:
            parts[-1][0] += f" {line.strip()}"
    result = []
    for text, below in parts:
        if item := ITEM.match(text):
            rest = " ".join([item[2], *(line.strip() for line in below)])
            result.append(f"- `{item[1]}`: {rest}")
        elif below and text.endswith(":"):
            result.append(f"{text}\n\n{_render(below)}\n")
        else:
            result.append(" ".join([text, *(line.strip() for line in below)]) + "\n")
    return "\n".join(_separated(result))


def _separated(parts):
    """An empty line between a list and a paragraph."""
    for i, part in enumerate(parts):
        if i and part.startswith("- ") != parts[i - 1].startswith("- "):
            yield ""
        yield part


def _linked(text):
    """Public names in backticks as links to their entries."""

    def link(match):
        path = albert_tf._PUBLIC.get(match[1])
        return f"[`{match[1]}`][{'.'.join(path)}]" if path else match[0]

    return re.sub(r"(?<![`\[\w])`([A-Za-z_]\w*)`(?![`\]\w])", link, text)
