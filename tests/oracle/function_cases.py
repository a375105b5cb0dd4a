"""Elementwise functions of lax on grids of special, small, ordinary and huge numbers."""

import jax
import numpy as np
from jax import lax

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-40, 1.1754944e-38, 3.4028235e38, -3.4028235e38]


def grid():
    """About 600 floats: special ones, both signs of powers of two and their neighbours, a dense stretch, halves."""
    rng = np.random.default_rng(7)
    powers = np.float32(2.0) ** np.arange(-30, 31, dtype=np.float32)
    near = np.concatenate([powers, np.nextafter(powers, np.float32(np.inf)), powers * np.float32(1.37)])
    big = np.array([1e10, 1e15, 2e20, 7e25, 1e30, 3e38, 16777217.5, 710.0, 88.5, 89.5, 104.0, 127.5, 128.5], np.float32)
    limits = np.array([2147483520, 2147483648, 4294967040, 4294967296], np.float32)
    half = np.arange(0.25, 12.5, 0.25, dtype=np.float32)
    dense = rng.uniform(0, 5, 100).astype(np.float32)
    positive = np.concatenate([near, big, limits, half, dense])
    return np.concatenate([np.array(SPECIAL, np.float32), positive, -positive]).astype(np.float32)


def pairs():
    few = np.array(
        [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 7.5, 1e-30, 1e30, -1e30, 16777215.0, 1 / 3, 1.0000001, 0.99999994],
        np.float32,
    )
    x, y = np.meshgrid(few, few, indexing="ij")
    rng = np.random.default_rng(11)
    return (
        np.concatenate([x.ravel(), np.exp(rng.uniform(-8, 8, 300)).astype(np.float32)]),
        np.concatenate([y.ravel(), rng.uniform(-9, 9, 300).astype(np.float32)]),
    )


def integers(dtype):
    info = np.iinfo(dtype)
    few = np.array([info.min, info.min + 1, info.max, info.max - 1, 0, 1, 2, 3, 7, 31, 32, 33, 1000003], dtype)
    if info.min < 0:
        few = np.concatenate([few, np.array([-1, -2, -3, -7, -32, -1000003], dtype)])
    x, y = np.meshgrid(few, few, indexing="ij")
    return x.ravel(), y.ravel()


UNARY = (
    "exp exp2 expm1 log log1p sqrt rsqrt sin cos tan tanh logistic erf erf_inv erfc neg abs sign floor ceil "
    "is_finite square"
).split()
BINARY = "add sub mul div max min pow nextafter eq ne lt le gt ge".split()
INTEGER = "add sub mul div rem max min shift_left shift_right_logical shift_right_arithmetic and or xor eq ne lt le gt ge".split()
RENAME = {"and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor"}


def cases():
    x = grid()
    out = {"grid": x}
    for name in UNARY:
        out[name] = getattr(lax, name)(x)
    out["round"] = lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)
    out["round_away"] = lax.round(x)
    out["relu"] = jax.nn.relu(x)
    for kind in ("int32", "uint32", "bool"):
        out[f"to_{kind}"] = lax.convert_element_type(x, kind)
    a, b = pairs()
    out |= {"pairs_x": a, "pairs_y": b}
    for name in BINARY:
        out[name] = getattr(lax, name)(a, b)
    out["clamp"] = lax.clamp(np.float32(-2), a, b)
    for dtype in (np.int32, np.uint32):
        tag = "i" if dtype is np.int32 else "u"
        p, q = integers(dtype)
        out |= {f"{tag}_x": p, f"{tag}_y": q}
        for name in INTEGER:
            out[f"{tag}_{name}"] = getattr(lax, RENAME.get(name, name))(p, q)
        out[f"{tag}_mod"] = jax.numpy.remainder(p, q)
        out[f"{tag}_floor_divide"] = jax.numpy.floor_divide(p, q)
        out[f"{tag}_to_float32"] = lax.convert_element_type(p, np.float32)
        for name in "abs neg sign population_count clz".split():
            if name != "abs" or tag == "i":
                out[f"{tag}_{name}"] = getattr(lax, name)(p)
    return out
