"""TFRecord files without TensorFlow, which would cost each worker seconds and 400 MB."""

import functools
import struct

import numpy as np

_POLYNOMIAL = 0x82F63B78  # CRC-32C (Castagnoli), bits reversed.
_MASK_DELTA = 0xA282EAD8
_ALL_ONES = 0xFFFFFFFF


def frame_records(records):
    """The bytes of a TFRecord file that holds `records`, a list of bytes. Files may be joined."""
    if not records:
        return b""
    lengths = np.array([len(record) for record in records], "<u8")
    headers = lengths.view(np.uint8).reshape(-1, 8)
    header_crcs = masked_crc32c([header.tobytes() for header in headers])
    parts = []
    for record, length, header_crc, crc in zip(
        records, lengths.tolist(), header_crcs.tolist(), masked_crc32c(records).tolist()
    ):
        parts += (struct.pack("<QI", length, header_crc), record, struct.pack("<I", crc))
    return b"".join(parts)


def read_records(file, name, start=0, end=None, check_data=True):
    """Yields the records of an open TFRecord file, checked.

    Args:
      file: Seekable binary file.
      name: What errors call it.
      start, end: Yield only records whose first byte lies in this range of the file.
      check_data: Verify the checksum of the content too, not only that of the length.

    Raises:
      ValueError: If the file is damaged, cut off or no TFRecord file.
    """
    position, batch, held = 0, [], 0
    file.seek(0)
    while end is None or position < end:
        header = file.read(12)
        if not header:
            break
        length, crc = struct.unpack("<QI", header) if len(header) == 12 else (0, None)
        if crc is None or int(masked_crc32c([header[:8]])[0]) != crc:
            raise _damaged(name, position)
        if position < start:
            file.seek(length + 4, 1)
        else:
            data = file.read(length + 4)
            if len(data) != length + 4:
                raise _damaged(name, position)
            batch.append((position, data))
            held += length
        position += length + 16
        if held > 1 << 20 or len(batch) >= 1024:
            yield from _checked(batch, name, check_data)
            batch, held = [], 0
    yield from _checked(batch, name, check_data)


def _checked(batch, name, check_data):
    records = [data[:-4] for _, data in batch]
    if check_data and records:
        stored = np.array([struct.unpack("<I", data[-4:])[0] for _, data in batch], np.uint32)
        wrong = np.flatnonzero(masked_crc32c(records) != stored)
        if len(wrong):
            raise _damaged(name, batch[wrong[0]][0])
    return records


def _damaged(name, position):
    return ValueError(
        "The file must consist of whole TFRecords with right checksums. "
        f"Received: {name}, damaged or cut off at byte {position} (or no uncompressed TFRecord "
        "file). Copy it again; compressed files must end in .gz."
    )


def masked_crc32c(records):
    """The checksums that TFRecord stores: uint32 [len(records)], of a list of bytes."""
    crcs = crc32c(records)
    return ((crcs >> np.uint32(15)) | (crcs << np.uint32(17))) + np.uint32(_MASK_DELTA)


def crc32c(records):
    """CRC-32C of each of a list of bytes: uint32 [len(records)], many records at a time."""
    crcs = np.empty(len(records), np.uint32)
    groups = {}  # By size, so that padding at most doubles the work.
    for index, record in enumerate(records):
        groups.setdefault(len(record).bit_length(), []).append(index)
    for bits, indices in groups.items():
        group = [records[i] for i in indices]
        crcs[indices] = _crc32c_of_group(group) if bits > 2 else [_crc32c_of_few(r) for r in group]
    return crcs


def _crc32c_of_group(records):
    """Of records of at least four bytes, by right-aligned columns of four bytes.

    Leading zeros leave a zero state as it is, and starting from all ones is starting from zero with
    the first four bytes inverted: so records of different lengths go side by side.
    """
    low, high = _word_tables()
    width = -(-max(map(len, records)) // 4) * 4
    matrix = np.zeros((len(records), width), np.uint8)
    for row, record in zip(matrix, records):
        row[width - len(record) :] = np.frombuffer(record, np.uint8)
        row[width - len(record) : width - len(record) + 4] ^= 255
    columns = np.ascontiguousarray(matrix.view("<u4").T)
    state = np.zeros(len(records), "<u4")
    halves = state.view("<u2")
    low_half, high_half = halves[::2], halves[1::2]
    for column in columns:
        state ^= column
        np.bitwise_xor(low[low_half], high[high_half], out=state)
    return state ^ np.uint32(_ALL_ONES)


def _crc32c_of_few(record):
    table, state = _byte_table(), _ALL_ONES
    for byte in record:
        state = int(table[(state ^ byte) & 255]) ^ (state >> 8)
    return state ^ _ALL_ONES


@functools.cache
def _byte_table():
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table.astype(np.uint32)


@functools.cache
def _word_tables():
    """What the low and the high half of a state turn into over four bytes."""
    tables = [_byte_table()]
    for _ in range(3):
        previous = tables[-1]
        tables.append(tables[0][previous & 255] ^ (previous >> np.uint32(8)))
    halves = np.arange(1 << 16)
    low = tables[3][halves & 255] ^ tables[2][halves >> 8]
    return low, tables[1][halves & 255] ^ tables[0][halves >> 8]
