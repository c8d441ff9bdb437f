"""Makes vectors.json: what the existing producer (kafka-python, struct.pack, raw arrays) would put on Kafka.

Every n from 1 to 40 slices per message; a file of 2 n + ceil(n / 2) slices, so the last message is short from n = 2
on. Sample k of I is ((k * 2654435761) mod 2^32) / 2^32 - 0.5 and of Q ((k * 40503 + 7) mod 65536) / 65536 - 0.5,
rounded to float32. Nothing of haloscope is used. Standard library only: python3 make_vectors.py > vectors.json
"""

import hashlib
import json
import struct
import sys
from array import array

BINS = 3072
FILE = 40000  # needs both bytes, and the upper half of an unsigned 16-bit number
MOST = 40


def channel(sample, count):
    values = array("f", (sample(k) for k in range(count)))
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def messages(i, q, slices, n):
    for message, first in enumerate(range(0, slices, n)):
        last = min(first + n, slices)
        begin, end = first * BINS * 4, last * BINS * 4
        key = struct.pack(">HH", FILE, message)
        yield key, i[begin:end] + q[begin:end]


def slices_for(n):
    return 2 * n + (n + 1) // 2


def main():
    longest = slices_for(MOST) * BINS
    i = channel(lambda k: ((k * 2654435761) % 2**32) / 2**32 - 0.5, longest)
    q = channel(lambda k: ((k * 40503 + 7) % 65536) / 65536 - 0.5, longest)
    vectors = []
    for n in range(1, MOST + 1):
        slices = slices_for(n)
        sent = [
            {"key": key.hex(), "bytes": len(value), "sha256": hashlib.sha256(key + value).hexdigest()}
            for key, value in messages(i, q, slices, n)
        ]
        vectors.append({"n": n, "slices": slices, "messages": sent})
    json.dump({"bins": BINS, "file": FILE, "vectors": vectors}, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
