"""An .xz file, decompressed in bounded memory."""

import lzma

# `xz -9` needs 65 MiB. A file may ask for 4 GiB, and `lzma.LZMAFile` would comply.
_MOST_MEMORY = 256 << 20
_CHUNK = 1 << 16


class XzFile:
    """The content of an .xz file of one stream, as a file object that only reads forward.

    Args:
      path: Path of the file.
      mode: "rb".
    """

    def __init__(self, path, mode="rb"):
        self._file = open(path, mode)
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)

    def read(self, size):
        """Up to `size` bytes, fewer only at the end.

        Raises:
          lzma.LZMAError, EOFError: The file is damaged or truncated, or needs too much memory.
        """
        pieces = []
        while size > 0 and not self._decompressor.eof:
            data = self._file.read(_CHUNK) if self._decompressor.needs_input else b""
            if self._decompressor.needs_input and not data:
                raise EOFError("the file ends in the middle of its stream")
            pieces.append(self._decompressor.decompress(data, size))
            size -= len(pieces[-1])
        if self._decompressor.eof and any(self._decompressor.unused_data + self._file.read(_CHUNK)):
            raise lzma.LZMAError("a second stream follows")
        return b"".join(pieces)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
