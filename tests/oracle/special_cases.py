"""Functions of jnp, jax.nn and jax.scipy.special, reductions and conversions at special numbers. Each group is compiled at once."""

import re

import jax
import jax.numpy as jnp
import numpy as np

NAN, INF = np.nan, np.inf
FEW = np.array([NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.5, 3.0, 1e-40, -1e-30, 1e30, -1e30, 3.4028235e38, 100.5], np.float32)
MORE = np.concatenate([FEW, np.array([-1e-40, -3.4028235e38, 1e-3, -1e-3, 89.0, -104.0, 1e10, -1e10, 16777217.0, 2147483648.0, -3e9, 4294967296.0, -127.5, 200.0], np.float32)])
SPACES = {"jnp": jnp, "nn": jax.nn, "special": jax.scipy.special}
KINDS = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float16", "float32"]

UNARY = {
    "jnp": "absolute arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil cos cosh deg2rad degrees exp exp2 expm1 fabs floor "
    "isfinite isinf isnan isneginf isposinf i0 log log10 log1p log2 logical_not nan_to_num negative positive rad2deg radians "
    "reciprocal rint round sign signbit sin sinc sinh spacing sqrt square tan tanh trunc",
    "nn": "relu relu6 sigmoid softplus soft_sign silu log_sigmoid elu gelu selu celu mish hard_sigmoid hard_silu hard_tanh "
    "leaky_relu squareplus sparse_plus sparse_sigmoid softmax log_softmax",
    "special": "erf erfc erfinv expit gammaln digamma logit entr i0e i1 i1e ndtr",
}
BINARY = {
    "jnp": "add arctan2 copysign divide equal float_power floor_divide fmax fmin fmod greater greater_equal heaviside hypot less "
    "less_equal logaddexp logaddexp2 logical_and logical_or logical_xor maximum minimum mod multiply nextafter not_equal power "
    "remainder subtract true_divide",
    "special": "xlogy xlog1py",
}
REDUCTIONS = (
    "sum prod max min mean var std median argmax argmin any all nansum nanprod nanmax nanmin nanmean nanvar nanargmax nanargmin "
    "cumsum cumprod ptp count_nonzero sort argsort"
)
INTEGER_UNARY = "absolute negative sign square bitwise_not invert signbit logical_not"
INTEGER_BINARY = (
    "add subtract multiply floor_divide remainder fmod divide left_shift right_shift bitwise_and bitwise_or bitwise_xor "
    "maximum minimum equal less"
)


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda m: m.group(1).upper(), name)


def every(spaces, *arguments, **options):
    """Every named function of the arguments, from one compiled program."""

    def call(*a):
        return {f"{space}.{camel(n)}": getattr(SPACES[space], n)(*a, **options) for space, names in spaces.items() for n in names.split()}

    return jax.jit(call)(*arguments)


def lines():
    """Rows of five, special numbers among ordinary ones."""
    rng = np.random.default_rng(3)
    rows = [rng.uniform(-3, 3, 5).astype(np.float32) for _ in range(10)]
    specials = [[NAN], [INF], [-INF], [INF, -INF], [NAN, INF], [0.0, -0.0], [-0.0, 0.0], [NAN] * 5, [3e38, 3e38], [2, 2]]
    for k, some in enumerate(specials):
        rows[k][: len(some)] = some
        rows[k] = np.roll(rows[k], k)
    return np.stack(rows)


def integers(dtype):
    info = np.iinfo(dtype)
    few = np.array([info.min, info.min + 1, info.max, info.max - 1, 0, 1, 2, 5, 31, 32, 33, 64] + ([-1, -2, -7, -33] if info.min else []), dtype)
    a, b = (v.ravel() for v in np.meshgrid(few, few, indexing="ij"))
    to = jax.jit(lambda x: {kind: x.astype(kind) for kind in KINDS})(few)
    return {"few": few, "a": a, "b": b, "unary": every({"jnp": INTEGER_UNARY}, few), "binary": every({"jnp": INTEGER_BINARY}, a, b), "to": to}


def cases():
    x, table = MORE, lines()
    p, q = (a.ravel() for a in np.meshgrid(FEW, FEW, indexing="ij"))
    out = {"x": x, "p": p, "q": q, "lines": table}
    out["unary"] = every(UNARY, x)
    out["binary"] = every(BINARY, p, q)
    out["reductions"] = every({"jnp": REDUCTIONS}, table, axis=1)
    out["clip"] = jax.jit(lambda x: {f"{low}, {high}": jnp.clip(x, np.float32(low), np.float32(high)) for low in [NAN, -INF, 0, 2] for high in [NAN, INF, 1]})(x)
    out["to"] = jax.jit(lambda x: {kind: x.astype(kind) for kind in KINDS})(x)
    out["int32"], out["uint32"] = integers(np.int32), integers(np.uint32)
    return out
