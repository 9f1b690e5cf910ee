"""Zip archives from outside: the directory in bounded memory, the checksums compared."""

import io
import struct
import zipfile
import zlib

# What `zipfile` raises for damaged and odd archives, beyond BadZipFile: encryption, unknown
# methods, offsets that lead nowhere.
ERRORS = (zipfile.BadZipFile, RuntimeError, ValueError, OSError, EOFError, struct.error, zlib.error)
CHUNK = 1 << 20
_MOST_END = 22 + 0xFFFF  # With the longest comment.


class BoundedFile(io.FileIO):
    """A file that hands out no more than a chunk at once.

    `zipfile` reads the directory of an archive in one piece, and makes ten times that of it: an
    archive of empty members would fill the memory. A chunk has room for 20,000 members.
    """

    def read(self, size=-1):
        if size is None or size < 0 or size > CHUNK:
            here = self.tell()
            rest = self.seek(0, io.SEEK_END) - here
            self.seek(here)
            size = rest if size is None or size < 0 else min(size, rest)
            if size > CHUNK:
                raise zipfile.BadZipFile("a directory of too many members")
        return super().read(size)


def check_number_of_members(file, archive):
    """Raises a BadZipFile if the directory has lost members: it has no checksum of its own.

    Args:
      file: The file, open.
      archive: The `ZipFile` that reads it.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - _MOST_END, 0))
    end = file.read(_MOST_END)
    end = end[end.rindex(b"PK\5\6") :]
    (number,) = struct.unpack_from("<H", end, 10)
    found = len(archive.infolist())
    if number not in (found, 0xFFFF):  # More are counted elsewhere.
        raise zipfile.BadZipFile(f"a directory of {found} members, not {number} as its end says")


def chunks(archive, info):
    """Yields a member of a `ZipFile` piece by piece; `zipfile` compares the checksum at its end."""
    with archive.open(info) as member:
        while chunk := member.read(CHUNK):
            yield chunk


def crc32_of(path, offset, num_bytes):
    """The checksum of a part of a file, for comparison with `ZipInfo.CRC`."""
    crc = 0
    with open(path, "rb") as file:
        file.seek(offset)
        while num_bytes > 0 and (chunk := file.read(min(CHUNK, num_bytes))):
            crc, num_bytes = zlib.crc32(chunk, crc), num_bytes - len(chunk)
    return crc
