"""What `tarfile` reads from: forward only, headers in bounded memory, to the very end."""

import tarfile

from albert_tf.checkpoints.files.zip_file import CHUNK

# What stands before a member's content: its name and attributes.
_MOST_HEADER_BYTES = 1 << 16
# Programs fill up the end of an archive with zeros, by default to a multiple of 10,240 bytes.
_MOST_PADDING_BYTES = 1 << 20


class TarStream:
    """A file object for `tarfile.open(fileobj=..., mode="r:")`.

    `tarfile` alone reads a header of any size into memory, takes a damaged header for the end of
    the archive, and stops before the checksum of the compression.

    Args:
      file: Binary file object, decompressed.
    """

    def __init__(self, file):
        self._file, self._place = file, 0
        self._left = _MOST_HEADER_BYTES
        self._last = b""

    def members(self, archive):
        """Yields each `TarInfo`; afterwards the archive was read and checked to its end.

        Args:
          archive: The `TarFile` that reads from this.

        Raises:
          tarfile.ReadError: The archive is damaged, truncated, or of another content.
        """
        # tarfile.open has read the first.
        while (member := archive.next()) is not None:
            self._left = float("inf")
            yield member
            self._left = _MOST_HEADER_BYTES
        if not self._last or any(self._last):
            raise tarfile.ReadError("its end is missing, or a header is damaged")
        padding = 0
        while rest := self._file.read(CHUNK):
            padding += len(rest)
            if any(rest) or padding > _MOST_PADDING_BYTES:
                raise tarfile.ReadError("something comes after its end")

    def read(self, size):
        if size > self._left:
            raise tarfile.ReadError(f"a header of more than {_MOST_HEADER_BYTES} bytes")
        self._last = self._file.read(size)
        self._left -= size
        self._place += len(self._last)
        return self._last

    def tell(self):
        return self._place

    def seek(self, place):
        if place < self._place:
            raise tarfile.ReadError("its members overlap")
        while self._place < place:
            skipped = len(self._file.read(min(CHUNK, place - self._place)))
            if not skipped:
                raise tarfile.ReadError("unexpected end of data")
            self._place += skipped
