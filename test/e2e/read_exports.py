"""Reads what `analyze` wrote with the readers of others, and prints what it found as JSON, floats digit by digit.

    read_exports.py EXPORTS_WITHOUT_SUFFIX META_I META_Q
"""

import json
import sys

import numpy as np
import sigmf
from astropy.table import Table

stem, meta_i, meta_q = sys.argv[1:4]
npz = np.load(stem + ".npz")
ecsv = Table.read(stem + ".ecsv", format="ascii.ecsv")
csv = np.genfromtxt(stem + ".csv", delimiter=",", names=True)
columns = ("freq_Hz", "power", "std", "count")


def channel(path):
    """Metadata and samples as the SigMF library sees them."""
    signal = sigmf.sigmffile.fromfile(path)
    signal.validate()
    samples = signal.read_samples()
    return {
        "rate": signal.get_global_field("core:sample_rate"),
        "captures": signal.get_captures(),
        "type": str(samples.dtype),
        "samples": len(samples),
        "first": [float(x) for x in samples[:5]],
        "last": float(samples[-1]),
    }


print(
    json.dumps(
        {
            "npz": {name: npz[name].tolist() for name in columns},
            "npz_types": {name: str(npz[name].dtype) for name in columns},
            "npz_meta": json.loads(str(npz["meta"])),
            "ecsv": {name: np.asarray(ecsv[name]).tolist() for name in columns},
            "ecsv_units": {name: str(ecsv[name].unit) for name in columns},
            "ecsv_meta": dict(ecsv.meta),
            "csv": {name: csv[name].tolist() for name in columns},
            "i": channel(meta_i),
            "q": channel(meta_q),
        }
    )
)
