"""What `--help` shows: how to call a command, and its flags, those that it needs first."""

import shutil
import sys
import textwrap

from absl import flags

_REQUIRED = "must have a value other than None"


def command_flags():
    """The flags of the command that runs, {name: absl's Flag}, in the order of definition."""
    return {flag.name: flag for _, group in _groups() for flag in group}


def is_required(flag):
    """Whether the command cannot run without the flag."""
    return flag.default is None and any(_REQUIRED in v.message for v in flag.validators)


def usage_line(program):
    """How to call the command."""
    required = [flag for flag in command_flags().values() if is_required(flag)]
    needed = "".join(f" --{flag.name}={_placeholder(flag)}" for flag in required)
    return f"usage: {program}{needed} [flags]"


def command_help(program, description):
    """The text of `--help`.

    Args:
      program: What the command is called by, such as "albert-tf convert".
      description: What it does.

    Returns:
      str: usage, description, required flags, then the others, by the module that defines them.
    """
    required = [flag for flag in command_flags().values() if is_required(flag)]
    groups = [("required flags", required)]
    for title, group in _groups():
        groups.append((title, [flag for flag in group if not is_required(flag)]))
    parts = [usage_line(program), description.strip()]
    for title, group in groups:
        if group:
            parts.append("\n".join([f"{title}:", *map(_describe, group)]))
    return "\n\n".join(parts)


def _groups():
    """[(title, flags)]: the command's own, then those that it shares with other commands.

    A module may have `FLAG_GROUPS`, {name of a group's first flag: title}.
    """
    groups = []
    # What a command shares it has imported before it defines its own.
    for module, defined in reversed(flags.FLAGS.flags_by_module_dict().items()):
        if module.startswith("albert_tf.commands."):
            titles = getattr(sys.modules[module], "FLAG_GROUPS", {})
            groups.append(("flags", []))
            for flag in defined:
                if flag.name in titles:
                    groups.append((titles[flag.name], []))
                groups[-1][1].append(flag)
    return [(title, group) for title, group in groups if group]


def _describe(flag):
    name = f"--[no]{flag.name}" if flag.boolean else f"--{flag.name}={_placeholder(flag)}"
    text = " ".join(flag.help.split())
    text = text.removeprefix(f"<{_placeholder(flag)}>: ")  # absl's, of enums.
    default = (flag.default_as_str or "").strip("'")
    if default and not is_required(flag) and "Default:" not in text:
        text += f" Default: {default}."
    width = min(shutil.get_terminal_size().columns, 100)
    indent = " " * 6
    return f"  {name}\n" + textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def _placeholder(flag):
    values = getattr(flag.parser, "enum_values", None)
    if values:
        return "|".join(values)
    kind = flag.flag_type()
    return {
        "int": "N",
        "float": "X",
        "comma separated list of strings": "A,B,...",
    }.get(kind, flag.name.rpartition("_")[2].upper())
