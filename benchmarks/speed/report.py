"""Results as JSON, as Markdown tables and as charts.

A result is what a table's function returned (tables.py) with "table", "command", "date", "machine"
and "versions". Its "programs" are {program: {column: [number of each round]}}; "beside", where they
took turns with the reference one by one, is {program: the reference's numbers beside it}.
"""

import json
import pathlib
import statistics

from benchmarks.speed.charts import chart, file_name, number, questions
from benchmarks.speed.rounds import PEAK

_HEAD = """# How fast it is

`python -m benchmarks.performance` writes this page; `--help` explains its flags. Each section names
the command that made it, and has its numbers and versions in a JSON file beside this page.

Each cell is the median of the rounds, with the smallest and the largest in parentheses. Unless a
section says otherwise, all programs are loaded at the same time and take turns in each round: one
computes while the others wait. The **ratio** says how many times better the row in bold is than the
row it stands in, the median over the rounds: above 1.0, the row in bold wins. Weights are random;
the time does not depend on them.
"""


def ratios(result, program, column):
    """How many times better the reference is than a program, round by round."""
    references = result["programs"].get(result["reference"], {})
    reference = result.get("beside", {}).get(program, references).get(column, [])
    other = result["programs"][program].get(column, [])
    pairs = zip(reference, other)
    if result["columns"][column]["better"] == "higher":
        return [mine / theirs for mine, theirs in pairs]
    return [theirs / mine for mine, theirs in pairs]


def markdown(result):
    """The section of a result."""
    columns = result["columns"]
    header = ["program"]
    for name, column in columns.items():
        header += [f"{name}, {column['unit']}", "ratio"]
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    for program, cells in result["programs"].items():
        is_reference = program == result["reference"]
        row = [f"**{program}**" if is_reference else program]
        for name in columns:
            if name not in cells:
                row += ["", ""]
                continue
            row.append(_spread(cells[name]))
            both = [] if program == PEAK or is_reference else ratios(result, program, name)
            row.append(f"{statistics.median(both):.2f}" if both else "")
        lines.append(f"| {' | '.join(row)} |")
    for program, reason in result["not_measured"].items():
        lines.append(f"| {program} | not measured: {_plain(reason)} |{' |' * (len(header) - 2)}")
    machine = result["machine"]
    charts = "".join(
        f"\n![{question}]({file_name(result['table'], column)})\n"
        for column, question in questions(result).items()
    )
    return f"""## {result["title"]}

{result["text"]}
{charts}
{chr(10).join(lines)}

`{result["command"]}`, {result["date"]}, {machine["cores"]} cores of {machine["processor"]}.
{_versions(result["versions"])}
{result["remark"]}
"""


def rounds(result):
    """How often a table was measured."""
    cells = result["programs"].values()
    return max((len(numbers) for columns in cells for numbers in columns.values()), default=0)


def joined(earlier, result):
    """A result with the rounds of an earlier one of the same table before its own."""
    alike = [
        [list(r["programs"]), r["columns"], r["not_measured"], r["machine"], r["versions"]]
        for r in (earlier, result)
    ]
    if alike[0] != alike[1]:
        raise ValueError(
            "Rounds are added to those of the same programs, versions and machine. Received: "
            f"{alike[1]} after {alike[0]}. Measure the table anew."
        )
    programs = {
        program: {name: earlier["programs"][program][name] + cells[name] for name in cells}
        for program, cells in result["programs"].items()
    }
    return {**result, "programs": programs}


def _versions(versions):
    """The versions of all environments in one line."""
    names = {name: version for packages in versions.values() for name, version in packages.items()}
    return ", ".join(f"{name} {names[name]}" for name in sorted(names) if name != "numpy") + "."


def _spread(numbers):
    median = statistics.median(numbers)
    if len(numbers) == 1:
        return number(median)
    return f"{number(median)} ({number(min(numbers))} to {number(max(numbers))})"


def _plain(text):
    return text.replace("|", "/").replace("\n", " ")


def write(result, directory):
    """Writes a result's JSON and charts into a folder."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{result['table']}.json").write_text(json.dumps(result, indent=1) + "\n")
    write_charts(result, directory)


def write_charts(result, directory):
    """Writes the charts of a result into a folder."""
    for column, question in questions(result).items():
        path = pathlib.Path(directory) / file_name(result["table"], column)
        path.write_text(chart(result, column, question), encoding="utf-8")


def write_page(directory, path, tables):
    """Puts the page together from the JSON files of a folder beside it.

    Args:
      directory: folder of the results, in the page's folder.
      path: the page to write.
      tables: names of all tables, in their order.
    """
    directory, path = pathlib.Path(directory), pathlib.Path(path)
    sections = [_HEAD]
    for name in tables:
        file = directory / f"{name}.json"
        if file.exists():
            result = json.loads(file.read_text())
            write_charts(result, directory)
            section = markdown(result)
            sections.append(section.replace(f"]({name}_", f"]({directory.name}/{name}_"))
        else:
            sections.append(f"## {name}\n\nNot measured.\n")
    path.write_text("\n".join(sections))
