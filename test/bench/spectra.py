"""The job of the spectrum engine in Python: per-bin mean and sample standard deviation of |FFT|^2 over one pair.

Samples stay in memory, everything works in chunks of slices that fit a cache, in buffers made once, in float32 with
sums over chunks merged in float64. The chunk is chosen by trying. Prints what there is as a line of JSON, then
answers each name on its standard input with a line of JSON.
"""

import argparse
import concurrent.futures
import json
import os
import sys
import time

import numpy as np
import scipy
import scipy.fft

try:
    import pyfftw
except ImportError:
    pyfftw = None

CHUNKS = (8, 16, 32, 64, 128)


def scipy_fft(shape, workers):
    x = np.zeros(shape, np.complex64)
    return x, lambda: scipy.fft.fft(x, axis=1, overwrite_x=True, workers=workers)


def numpy_fft(shape, _):
    x = np.zeros(shape, np.complex64)
    y = np.zeros(shape, np.complex64)
    return x, lambda: np.fft.fft(x, axis=1, out=y)


def fftw(shape, workers):
    x = pyfftw.empty_aligned(shape, np.complex64)
    y = pyfftw.empty_aligned(shape, np.complex64)
    plan = pyfftw.FFTW(x, y, axes=(1,), flags=("FFTW_MEASURE",), threads=workers)
    x[:] = 0

    def transform():
        plan.execute()
        return y

    return x, transform


class Part:
    """One thread's buffers and its moments."""

    def __init__(self, library, chunk, bins, workers):
        self.chunk = chunk
        self.bins = bins
        self.x, self.transform = library((chunk, bins), workers)
        self.squares = np.empty((chunk, 2 * bins), np.float32)
        self.power = np.empty((chunk, bins), np.float32)

    def moments(self, i, q):
        count, mean, m2 = 0, np.zeros(self.bins), np.zeros(self.bins)
        for first in range(0, len(i), self.chunk):
            n = min(self.chunk, len(i) - first)
            self.x.real[:n] = i[first : first + n]
            self.x.imag[:n] = q[first : first + n]
            spectrum = self.transform()[:n].view(np.float32)
            squares, power = self.squares[:n], self.power[:n]
            np.multiply(spectrum, spectrum, out=squares)
            np.add(squares[:, ::2], squares[:, 1::2], out=power)
            part_mean = np.add.reduce(power, axis=0)
            part_mean *= np.float32(1 / n)
            power -= part_mean
            power *= power
            count, mean, m2 = merged((count, mean, m2), (n, part_mean, np.add.reduce(power, axis=0)))
        return count, mean, m2


def merged(a, b):
    """Chan's update, in float64 and in place."""
    count = a[0] + b[0]
    delta = b[1] - a[1]
    a[1][:] += delta * (b[0] / count)
    a[2][:] += b[2]
    delta *= delta
    delta *= a[0] * b[0] / count
    a[2][:] += delta
    return count, a[1], a[2]


class Contestant:
    """`threads` Python threads over the slices, each with a library that uses `workers` threads."""

    def __init__(self, library, bins, threads, workers):
        self.library, self.bins, self.workers = library, bins, workers
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.threads = threads
        self.parts = []

    def use(self, chunk):
        self.parts = [Part(self.library, chunk, self.bins, self.workers) for _ in range(self.threads)]

    def moments(self, i, q):
        if self.threads == 1:
            return self.parts[0].moments(i, q)
        cuts = np.linspace(0, len(i), self.threads + 1).astype(int)
        work = zip(self.parts, cuts[:-1], cuts[1:])
        jobs = [self.pool.submit(part.moments, i[a:b], q[a:b]) for part, a, b in work]
        whole = jobs[0].result()
        for job in jobs[1:]:
            whole = merged(whole, job.result())
        return whole

    def run(self, i, q):
        count, mean, m2 = self.moments(i, q)
        return np.fft.fftshift(mean), np.fft.fftshift(np.sqrt(m2 / (count - 1)))

    def tune(self, i, q):
        """Takes the chunk with the best of three."""

        def best(chunk):
            self.use(chunk)
            times = []
            for _ in range(3):
                started = time.perf_counter()
                self.run(i, q)
                times.append(time.perf_counter() - started)
            return min(times)

        chunk = min(CHUNKS, key=best)
        self.use(chunk)
        return chunk


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", required=True, help="float32: I of all slices, then Q of all slices")
    parser.add_argument("--bins", type=int, required=True)
    parser.add_argument("--pairs", type=int, required=True, help="passes over the samples in a round")
    options = parser.parse_args()
    i, q = np.fromfile(options.samples, np.float32).reshape(2, -1, options.bins)
    cores = len(os.sched_getaffinity(0))
    libraries = {f"scipy.fft {scipy.__version__}": scipy_fft, f"numpy.fft {np.__version__}": numpy_fft}
    if pyfftw is not None:
        libraries[f"FFTW {pyfftw.fftw_version} MEASURE, pyfftw {pyfftw.__version__}"] = fftw
    contestants, listed = {}, []
    for name, library in libraries.items():
        ways = [("", 1, 1)]
        if cores > 1:
            ways.append((", threads over chunks", cores, 1))
            if library is not numpy_fft:
                ways.append((", its own threads", 1, cores))
        for way, threads, workers in ways:
            contestant = Contestant(library, options.bins, threads, workers)
            quarter = slice(0, len(i) // 4)
            chunk = contestant.tune(i[quarter], q[quarter])
            contestants[name + way] = contestant
            listed.append(
                {"name": name + way, "family": name, "cores": max(threads, workers), "chunk": chunk}
            )
    print(json.dumps(listed), flush=True)
    for line in sys.stdin:
        contestant = contestants[line.rstrip("\n")]
        started = time.perf_counter()
        for _ in range(options.pairs):
            mean, std = contestant.run(i, q)
        ms = (time.perf_counter() - started) * 1e3 / options.pairs
        print(json.dumps({"ms": ms, "mean": mean.tolist(), "std": std.tolist()}), flush=True)


if __name__ == "__main__":
    main()
