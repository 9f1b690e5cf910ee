"""A progress bar where someone watches."""

import contextlib

import tqdm


def progress(items, description):
    """Iterates with a bar, time left and items per second on a terminal; plainly elsewhere.

    Args:
      items: Sized iterable.
      description: What is going on, str.

    Returns:
      Iterable of the same items.
    """
    # disable=None: disabled if stderr is no terminal.
    return tqdm.tqdm(items, desc=description, disable=None, mininterval=0.5, leave=False)


def bar_or_lines(file, **arguments):
    """A `tqdm.tqdm` on a terminal; elsewhere one that writes a line each time, for log files.

    Args:
      file: Where to write.
      **arguments: Those of `tqdm.tqdm`.
    """
    if file.isatty():
        return tqdm.tqdm(file=file, miniters=1, **arguments)
    form = "{n_fmt}/{total_fmt} ({percentage:.0f} %) [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
    return _Lines(file=file, miniters=1, leave=False, bar_format=form, **arguments)


class _Lines(tqdm.tqdm):
    def display(self, msg=None, pos=None):
        if msg is None:  # Another one, such as "", is to clear a line.
            print(self, file=self.fp, flush=True)

    @classmethod
    @contextlib.contextmanager
    def external_write_mode(cls, file=None, nolock=False):
        yield  # There is no bar to take away meanwhile.
