"""The results of the load test as a page."""

_HEAD = """# The server under load

Written by `python -m benchmarks.serving_load`; `--help` tells how. `albert-tf serve` and its
clients share one machine, over loopback. The model is `{model}`, as embeddings of texts of 1 to
{longest} words; a client waits for an answer before it asks again. Every answer is compared with
that of the SavedModel: were one lost or wrong, the run would have ended with an error.

| what | requests | requests/s | p50, ms | p99, ms | memory, MB |
|---|---|---|---|---|---|
"""


def page(result):
    """The page of a result, {part: what it measured}."""
    lines = []
    for part in ("alone", "together", "many"):
        if row := result["parts"].get(part):
            clients = f"{row['clients']} clients at a time"
            lines.append(_timed("one client" if row["clients"] == 1 else clients, row))
    if row := result["parts"].get("changes"):
        lines.append(_timed(f"{row['changes']} version changes, {row['clients']} clients", row))
    told = [_HEAD.format(**result) + "\n".join(lines)]
    told.append(
        "Memory is what the server's process holds: before the first request, at a fifth, and at "
        "the end."
    )
    if row := result["parts"].get("malformed"):
        codes = ", ".join(f"{count:,} times {code}" for code, count in sorted(row["codes"].items()))
        told.append(
            f"{row['requests']:,} malformed and hostile requests were answered with one line each: "
            f"{codes} (200 where a letter that was changed at random was one of the text). "
            f"Memory: {row['megabytes'][0]:,} MB before them, {row['megabytes'][-1]:,} MB after."
        )
    if row := result["parts"].get("restart"):
        told.append(
            f"After SIGKILL and a new start, {row['requests']:,} requests were answered rightly. "
            f"SIGTERM amid {row['clients']} clients: all that were taken were answered, "
            f"{row['before_the_end']:,} in the last second, and the exit status was {row['code']}."
        )
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    machine = result["machine"]
    told.append(
        f"`{result['command']}`, {result['date']}, {machine['cores']} cores of "
        f"{machine['processor']}.\n{versions}.\n{result['remark']}".rstrip()
    )
    return "\n\n".join(told) + "\n"


def _timed(what, row):
    cells = [
        what,
        f"{row['requests']:,}",
        f"{row['requests'] / row['seconds']:,.0f}",
        f"{row['p50']:,.1f}",
        f"{row['p99']:,.1f}",
        " → ".join(f"{x:,}" for x in three(row["megabytes"])),
    ]
    return f"| {' | '.join(cells)} |"


def three(megabytes):
    """The first, that at a fifth, and the last."""
    return megabytes[0], megabytes[len(megabytes) // 5], megabytes[-1]
