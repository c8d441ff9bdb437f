"""What `analyze` does, as a Python script: all pairs of a folder to one mean and standard deviation per bin.

Every pair is read whole and goes through the same loops as in spectra.py. Without --chunk it only tries which chunk is
the fastest, on a quarter of the first pair. Prints a line of JSON.
"""

import argparse
import json
import os
import pathlib

import numpy as np

from spectra import Contestant, merged, numpy_fft, scipy_fft


def pairs_of(folder, bins):
    for i_path in sorted(pathlib.Path(folder).glob("duck_i_*.dat")):
        i = np.fromfile(i_path, np.float32)
        q = np.fromfile(str(i_path).replace("duck_i_", "duck_q_"), np.float32)
        slices = len(i) // bins
        yield i[: slices * bins].reshape(slices, bins), q[: slices * bins].reshape(slices, bins)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--bins", type=int, required=True)
    parser.add_argument("--library", choices=["numpy", "scipy"], required=True)
    parser.add_argument("--threads", action="store_true", help="a thread per core over chunks")
    parser.add_argument("--chunk", type=int, help="slices at a time")
    options = parser.parse_args()
    library = {"numpy": numpy_fft, "scipy": scipy_fft}[options.library]
    threads = len(os.sched_getaffinity(0)) if options.threads else 1
    contestant = Contestant(library, options.bins, threads, 1)
    if options.chunk is None:
        i, q = next(pairs_of(options.folder, options.bins))
        print(json.dumps({"chunk": int(contestant.tune(i[: len(i) // 4], q[: len(q) // 4]))}))
        return
    contestant.use(options.chunk)
    whole = None
    for i, q in pairs_of(options.folder, options.bins):
        part = contestant.moments(i, q)
        whole = part if whole is None else merged(whole, part)
    count, mean, m2 = whole
    std = np.fft.fftshift(np.sqrt(m2 / (count - 1)))
    print(json.dumps({"count": int(count), "mean": np.fft.fftshift(mean).tolist(), "std": std.tolist()}))


main()
