"""A progress bar where someone watches."""

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
