"""Power spectra by cuFFT or VkFFT through CuPy: batched FFT, then passes for |X|^2, mean and M2.

Prints one line of JSON per library: name, milliseconds per file pair (median), worst error against float64; or what
is missing. The passes are fused kernels, not chains of array expressions, so that the libraries are not made slow.
"""

import argparse
import json
import statistics

import cupy as cp
import numpy as np

RUNS = 7
LEAST_MS = 150

JOIN = cp.ElementwiseKernel("float32 i, float32 q", "complex64 z", "z = complex<float>(i, q)", "join")
POWER = cp.ElementwiseKernel(
    "complex64 z", "float32 p", "p = z.real() * z.real() + z.imag() * z.imag()", "power"
)
SUM = cp.ReductionKernel("float32 p", "float32 s", "p", "a + b", "s = a", "0", "sum_of_powers")
M2 = cp.ReductionKernel("float32 p, float32 m", "float32 s", "(p - m) * (p - m)", "a + b", "s = a", "0", "m2")


def moments(i, q, z, p, transform):
    JOIN(i, q, z)
    x = transform(z)
    POWER(x, p)
    mean = SUM(p, axis=0) / np.float32(p.shape[0])
    return mean, M2(p, mean, axis=0)


def cufft():
    from cupyx.scipy import fft

    def prepare(z):
        plan = fft.get_fft_plan(z, axes=1)
        return lambda x: fft.fft(x, axis=1, plan=plan, overwrite_x=True)

    return prepare


def vkfft():
    from pyvkfft.cuda import VkFFTApp

    def prepare(z):
        app = VkFFTApp(z.shape, z.dtype, ndim=1, inplace=True)
        return lambda x: app.fft(x)

    return prepare


def worst(found, i, q):
    x = np.fft.fft(cp.asnumpy(i).astype(np.float64) + 1j * cp.asnumpy(q).astype(np.float64), axis=1)
    p = x.real**2 + x.imag**2
    n = p.shape[0]
    mean, m2 = (cp.asnumpy(a).astype(np.float64) for a in found)
    std = np.sqrt(m2 / (n - 1))
    return max(np.abs(mean / p.mean(axis=0) - 1).max(), np.abs(std / p.std(axis=0, ddof=1) - 1).max())


def measure(prepare, pairs, shape):
    z = cp.empty(shape, cp.complex64)
    p = cp.empty(shape, cp.float32)
    transform = prepare(z)
    found = moments(*pairs[0], z, p, transform)
    error = worst(found, *pairs[0])

    def once(repeats):
        begin, end = cp.cuda.Event(), cp.cuda.Event()
        begin.record()
        for _ in range(repeats):
            for i, q in pairs:
                moments(i, q, z, p, transform)
        end.record()
        end.synchronize()
        return cp.cuda.get_elapsed_time(begin, end) / repeats / len(pairs)

    once(1)
    repeats = max(1, int(np.ceil(LEAST_MS / (once(1) * len(pairs)))))
    return statistics.median(once(repeats) for _ in range(RUNS)), error


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bins", type=int, required=True)
    parser.add_argument("--slices", type=int, required=True)
    parser.add_argument("--pairs", type=int, required=True)
    options = parser.parse_args()
    shape = (options.slices, options.bins)
    random = cp.random.default_rng(1)
    pairs = [
        tuple(random.standard_normal(shape, dtype=cp.float32) for _ in range(2)) for _ in range(options.pairs)
    ]
    for name, library in (("cuFFT", cufft), ("VkFFT", vkfft)):
        try:
            prepare = library()
        except ImportError as error:
            print(json.dumps({"missing": f"{name}: {error}"}))
            continue
        ms, error = measure(prepare, pairs, shape)
        print(json.dumps({"name": f"{name} and passes by CuPy", "msPerPair": ms, "error": float(error)}))


main()
