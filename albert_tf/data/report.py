"""What data code leaves out, cuts or doubts: counted, each with its location, never silent."""


class Report:
    """Counts of problems by kind, with the place of each.

    Readers and feature makers return one with their results. An empty report is falsy.

    Example:
      >>> from albert_tf.data.report import Report
      >>> report = Report()
      >>> report.add("short rows skipped", "QQP/train.tsv:5")
      >>> report.counts
      {'short rows skipped': 1}
      >>> print(report)
      1 short rows skipped: QQP/train.tsv:5
    """

    def __init__(self):
        self._locations = {}

    def add(self, kind, location):
        """Counts one problem.

        Args:
          kind: What happened, in the plural, such as "short rows skipped".
          location: Where: file and line, or the id of an example.
        """
        self._locations.setdefault(kind, []).append(str(location))

    def merge(self, other):
        """Adds all problems of another report to this one."""
        for kind, locations in other._locations.items():
            self._locations.setdefault(kind, []).extend(locations)

    @property
    def counts(self):
        """dict from kind to number, int."""
        return {kind: len(locations) for kind, locations in self._locations.items()}

    def locations(self, kind):
        """Places of one kind, list of str in the order of their finding."""
        return list(self._locations.get(kind, ()))

    def __bool__(self):
        return bool(self._locations)

    def __str__(self):
        return "\n".join(_line(kind, locations) for kind, locations in self._locations.items())


def _line(kind, locations, shown=3):
    more = f", and {len(locations) - shown} more" if len(locations) > shown else ""
    return f"{len(locations)} {kind}: {', '.join(locations[:shown])}{more}"
