"""Public functions of jnp, nn and scipy.special, and reductions, at special numbers."""

import re

import jax
import jax.numpy as jnp
import numpy as np

NAN, INF = np.nan, np.inf
FEW = np.array([NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.5, 3.0, 1e-30, 1e30, -1e30, 3.4028235e38, 100.5], np.float32)
MORE = np.concatenate([FEW, np.array([-3.4028235e38, 1e-3, -1e-3, 89.0, -104.0, 1e10, -1e10, 16777217.0, 2147483648.0], np.float32)])

UNARY = {
    "jnp": "absolute arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil cos cosh deg2rad degrees exp exp2 expm1 fabs floor "
    "isfinite isinf isnan isneginf isposinf i0 log log10 log1p log2 logical_not nan_to_num negative positive rad2deg radians "
    "reciprocal rint round sign signbit sin sinc sinh spacing sqrt square tan tanh trunc",
    "nn": "relu relu6 sigmoid softplus soft_sign silu log_sigmoid elu gelu selu celu mish hard_sigmoid hard_silu hard_tanh "
    "leaky_relu squareplus sparse_plus sparse_sigmoid",
    "special": "erf erfc erfinv expit gammaln digamma logit entr i0e i1 i1e ndtr",
}
BINARY = (
    "add arctan2 copysign divide equal float_power floor_divide fmax fmin fmod greater heaviside hypot less logaddexp logaddexp2 "
    "logical_and logical_xor maximum minimum mod multiply nextafter not_equal power remainder subtract true_divide"
)
REDUCTIONS = (
    "sum prod max min mean var std median argmax argmin any all nansum nanprod nanmax nanmin nanmean nanvar nanargmax nanargmin "
    "cumsum cumprod ptp count_nonzero sort argsort"
)
INTEGER = (
    "add subtract multiply floor_divide remainder fmod divide power left_shift right_shift bitwise_and bitwise_or bitwise_xor "
    "maximum minimum gcd lcm equal less logaddexp"
)


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda m: m.group(1).upper(), name)


def lines():
    """Rows of five with a special number somewhere, NaN in most places."""
    rng = np.random.default_rng(3)
    rows = [rng.uniform(-3, 3, 5).astype(np.float32) for _ in range(10)]
    for k, some in enumerate([[NAN], [INF], [-INF], [INF, -INF], [NAN, INF], [0.0, -0.0], [-0.0, 0.0], [NAN] * 5, [3e38, 3e38], [2, 2]]):
        rows[k][: len(some)] = some
        rows[k] = np.roll(rows[k], k)
    return np.stack(rows)


def cases():
    x = MORE
    p, q = (a.ravel() for a in np.meshgrid(FEW, FEW, indexing="ij"))
    table = lines()
    out = {"x": x, "p": p, "q": q, "lines": table, "unary": {}, "binary": {}, "reductions": {}}
    spaces = {"jnp": jnp, "nn": jax.nn, "special": jax.scipy.special}
    for space, names in UNARY.items():
        for name in names.split():
            out["unary"][f"{space}.{camel(name)}"] = getattr(spaces[space], name)(x)
    for name in BINARY.split():
        out["binary"][f"jnp.{camel(name)}"] = getattr(jnp, name)(p, q)
    out["binary"]["special.xlogy"] = jax.scipy.special.xlogy(p, q)
    out["binary"]["special.xlog1py"] = jax.scipy.special.xlog1py(p, q)
    for name in REDUCTIONS.split():
        full = name in ("cumsum", "cumprod", "sort", "argsort")
        rows = table if not name.startswith("nanarg") else np.where(np.isnan(table).all(1, keepdims=True), 1, table).astype(np.float32)
        out["reductions"][f"jnp.{camel(name)}"] = getattr(jnp, name)(rows, axis=1) if full else getattr(jnp, name)(rows, axis=-1)
    for dtype, tag in [(np.int32, "int32"), (np.uint32, "uint32")]:
        info = np.iinfo(dtype)
        few = np.array([info.min, info.min + 1, info.max, info.max - 1, 0, 1, 2, 5, 31, 32, 33, 64] + ([-1, -2, -7, -33] if info.min else []))
        a, b = (v.ravel().astype(dtype) for v in np.meshgrid(few, few, indexing="ij"))
        out[tag] = {"a": a, "b": b, "results": {f"jnp.{camel(n)}": getattr(jnp, n)(a, b) for n in INTEGER.split()}}
        out[tag]["to"] = {kind: jnp.asarray(few.astype(dtype)).astype(kind) for kind in ["float32", "int32", "uint32", "bool"]}
        out[tag]["few"] = few.astype(dtype)
    return out
