"""The text of data files: UTF-8, plain or compressed by gzip; what is something else is told so."""

import gzip
import pathlib
import zlib

_GZIP = b"\x1f\x8b"
_SHOWN = 12  # Bytes on each side of one that is not UTF-8.
# How files begin that hold something else than UTF-8, the longer beginnings first.
_OTHER_TEXT = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_NO_TEXT = {
    b"PK\x03\x04": "a ZIP archive or an .xlsx workbook",
    b"\xd0\xcf\x11\xe0": "an .xls workbook",
    b"PAR1": "a Parquet file",
    b"BZh": "a file compressed by bzip2",
    b"\xfd7zXZ": "a file compressed by xz",
    b"\x28\xb5\x2f\xfd": "a file compressed by Zstandard",
}


def read_text(path):
    """The text of a UTF-8 file, without a byte order mark; one compressed by gzip is unpacked.

    Whether it is compressed is told by its content, not by its name.

    Raises:
      FileNotFoundError: If there is no such file.
      ValueError: If it is not UTF-8, with the encoding if that shows; or not whole.
    """
    data = _read_bytes(pathlib.Path(path))
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(
                f"A compressed data file must be whole. Received: {path} ({error}). Copy or "
                "download it again."
            ) from None
    for beginning, what in _NO_TEXT.items():
        if data.startswith(beginning):
            raise ValueError(
                f"Data files must be text, plain or compressed by gzip. Received: {path}, {what}. "
                "Unpack it, or save it as CSV in UTF-8."
            )
    if encoding := _other_encoding(data):
        raise ValueError(
            f"Data files must be UTF-8. Received: {path}, which is {encoding}. Convert it, for "
            f"example with `iconv -f {encoding} -t UTF-8`; spreadsheets have the format CSV UTF-8."
        )
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error.object, error.start) from None


def numbered_lines(path):
    r"""Yields `(line number from 1, line)` for all lines, blank ones too, without line ends.

    Lines end with \n or \r\n only: other separators of Unicode are text.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        yield number, line.removesuffix("\r")


def _read_bytes(path):
    if not path.is_file():
        siblings = sorted(p.name for p in path.parent.glob("*"))[:10]
        raise FileNotFoundError(
            f"The data file must exist. Received: {path}. "
            + (f"Its folder has {', '.join(siblings)}." if siblings else "Nor is there its folder.")
        )
    return path.read_bytes()


def _other_encoding(data):
    """The name of an encoding of two or four bytes a character, or None."""
    for mark, encoding in _OTHER_TEXT.items():
        if data.startswith(mark):
            return encoding
    # Without a mark: of Latin letters in UTF-16, every other byte is 0.
    even, odd = data[:1000:2], data[1:1000:2]
    for zeros, others, encoding in ((odd, even, "UTF-16LE"), (even, odd, "UTF-16BE")):
        if 2 * zeros.count(0) > len(zeros) and 0 not in others:
            return encoding
    return None


def _not_utf8(path, data, position):
    line = 1 + data.count(b"\n", 0, position)
    first = max(data.rfind(b"\n", 0, position) + 1, position - _SHOWN)
    around = data[first : position + _SHOWN].partition(b"\n")[0]
    shown = around.decode("cp1252", errors="replace").strip()
    return ValueError(
        f"Data files must be UTF-8. Received: {path}:{line}: byte {data[position]:#04x}, in "
        f"{shown!r} if the file is Latin-1 or Windows-1252. If that reads well, convert it with "
        "`iconv -f WINDOWS-1252 -t UTF-8`, otherwise from the encoding that it has."
    )
