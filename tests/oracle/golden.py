"""Writes golden files: JSON with arrays as base64 of little-endian bytes, long ones as a digest and samples.

An array is {"dtype", "shape", "data"}; one of more than LIMIT elements is {"dtype", "shape", "sha256", "stride",
"data"}: the SHA-256 of all its bytes, and every stride-th element with the last one after them. tests/goldens/read.ts
reads both.
"""

import base64
import hashlib
import json
import pathlib

import flax
import jax
import numpy as np
import optax

FOLDER = pathlib.Path(__file__).parent.parent / "goldens"
LIMIT = 1024
SAMPLES = 64


def array(value, limit=LIMIT, samples=SAMPLES):
    a = np.ascontiguousarray(np.asarray(value))
    if a.dtype == np.bool_:
        a = a.astype(np.uint8)
    kind = {"f": "float", "i": "int", "u": "uint"}[a.dtype.kind] + str(a.dtype.itemsize * 8)
    out = {"dtype": kind, "shape": list(np.shape(value))}
    flat = a.reshape(-1)
    if flat.size > limit:
        stride = -(-flat.size // samples)
        out |= {"sha256": hashlib.sha256(a.tobytes()).hexdigest(), "stride": stride}
        flat = np.concatenate([flat[::stride], flat[-1:]])
    return out | {"data": base64.b64encode(flat.tobytes()).decode()}


def encode(value):
    """Arrays anywhere in a tree of dicts and lists become their JSON form."""
    if isinstance(value, dict):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(v) for v in value]
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        return array(value)
    return value


def write(name, cases):
    versions = {"jax": jax.__version__, "flax": flax.__version__, "optax": optax.__version__, "numpy": np.__version__}
    body = ",\n".join(f" {json.dumps(k)}: {json.dumps(encode(v), separators=(',', ':'))}" for k, v in cases.items())
    text = f'{{"versions": {json.dumps(versions)},\n"cases": {{\n{body}\n}}}}\n'
    (FOLDER / f"{name}.json").write_text(text)
    print(f"{name}.json: {len(cases)} cases, {len(text)} bytes")
