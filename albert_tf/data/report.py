"""What data code leaves out, cuts or doubts: counted with places, never silent."""


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
        self._places = {}

    def add(self, kind, place):
        """Counts one problem.

        Args:
          kind: What happened, in the plural, such as "short rows skipped".
          place: Where: file and line, or the id of an example.
        """
        self._places.setdefault(kind, []).append(str(place))

    def merge(self, other):
        """Adds all problems of another report to this one."""
        for kind, places in other._places.items():
            self._places.setdefault(kind, []).extend(places)

    @property
    def counts(self):
        """dict from kind to number, int."""
        return {kind: len(places) for kind, places in self._places.items()}

    def places(self, kind):
        """Places of one kind, list of str in the order of their finding."""
        return list(self._places.get(kind, ()))

    def __bool__(self):
        return bool(self._places)

    def __str__(self):
        return "\n".join(_line(kind, places) for kind, places in self._places.items())


def _line(kind, places, shown=3):
    more = f", and {len(places) - shown} more" if len(places) > shown else ""
    return f"{len(places)} {kind}: {', '.join(places[:shown])}{more}"
