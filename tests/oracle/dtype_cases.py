"""What JAX makes of the small dtypes: promotion cell by cell, casts, and every kind of function on a few of them."""

import re

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax._src.numpy.util import promote_args

FLOATS = ["float16", "bfloat16"]
WHOLE = ["int8", "uint8", "int16", "uint16"]
STRONG = ["bool", "uint8", "uint16", "uint32", "int8", "int16", "int32", "bfloat16", "float16", "float32"]

# Odd lengths, so that the last word of a packed array is not full.
VALUES = {
    "float": [0.5, -1.25, 2.0, 0.0, -0.0, 0.1, 3.0, float("nan"), float("inf"), float("-inf"), 1000.0, -0.75, 1e-4],
    "whole": [0, 1, 2, 3, 7, 100, 5, 12, 31, 64, 9],
}
TIMES = {"float": [1.5, 2.0, -0.5, 3.0, 1.0, 0.3, -2.0, 1.0, 2.0, 0.0, 0.25, 7.0, 2.0], "whole": [1, 3, 0, 2, 7, 3, 9, 2, 4, 1, 8]}
SIGNS = [1, -1, 1, 1, -1, -1, 1, -1, 1, 1, -1, 1, 1]

UNARY_FLOAT = """abs negative sign square sqrt reciprocal exp expm1 log log1p log2 exp2 sin cos tan arctan sinh cosh tanh
arcsinh cbrt floor ceil trunc rint isnan isfinite signbit nan_to_num deg2rad fabs
lax.rsqrt lax.erf lax.erfc lax.logistic lax.is_finite nn.relu nn.sigmoid nn.silu nn.gelu nn.softplus nn.elu nn.relu6
nn.softmax nn.log_softmax nn.standardize lax.lgamma lax.digamma""".split()
UNARY_WHOLE = """abs negative sign square sqrt exp bitwise_not floor rint isnan positive lax.population_count lax.clz bitwise_count
reciprocal""".split()
BINARY_FLOAT = """add subtract multiply divide maximum minimum power remainder fmod arctan2 hypot logaddexp equal
less greater_equal not_equal copysign nextafter heaviside ldexp_ float_power""".split()
BINARY_WHOLE = """add subtract multiply divide maximum minimum power remainder floor_divide bitwise_and bitwise_xor left_shift
right_shift gcd lcm equal less lax.div lax.rem lax.shift_right_logical lax.shift_right_arithmetic""".split()
REDUCE = "sum prod max min mean var std any all argmax argmin cumsum cumprod median ptp nansum count_nonzero average".split()
MOVE = {
    "transpose": lambda x: jnp.transpose(x),
    "reverse": lambda x: jnp.flip(x, 1),
    "slice": lambda x: jax.lax.slice(x, (1, 1), (4, 3)),
    "concatenate": lambda x: jnp.concatenate([x, x], 1),
    "pad": lambda x: jnp.pad(x, 1),
    "sort": lambda x: jnp.sort(x, 0),
    "argsort": lambda x: jnp.argsort(x, 0),
    "take": lambda x: jnp.take(x, jnp.array([1, 9, -1]), 0),
    "roll": lambda x: jnp.roll(x, 1, 1),
    "where": lambda x: jnp.where(x > 2, x, 1),
    "clip": lambda x: jnp.clip(x, 1, 5),
    "matmul": lambda x: x.T @ x,
    "outer": lambda x: jnp.outer(x[0], x[1]),
    "broadcast": lambda x: x + x[0],
    "topK": lambda x: jax.lax.top_k(x.T, 2)[0],
    "scatter": lambda x: x.at[jnp.array([0, 2])].add(x[:2]),
    "tril": lambda x: jnp.tril(x),
    "maxPool": lambda x: jax.lax.reduce_window(x, x.dtype.type(0), jax.lax.add, (2, 2), (1, 1), "VALID"),
    "oneHot": lambda x: jax.nn.one_hot(jnp.array([0, 2]), 3, dtype=x.dtype),
    "conv": lambda x: jax.lax.conv(x.reshape(1, 1, 5, 3), x[:2, :2].reshape(1, 1, 2, 2), (1, 1), "SAME"),
}
GRADS = """exp log tanh sin sqrt nn.gelu nn.softmax nn.relu square nn.silu""".split()


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda m: m.group(1).upper(), name)


def find(name):
    space = {"lax": jax.lax, "nn": jax.nn}.get(name.split(".")[0], jnp)
    return getattr(space, name.split(".")[-1])


def operand(dtype, other=False):
    kind = "float" if dtype in FLOATS + ["float32"] else "whole"
    values = np.array((TIMES if other else VALUES)[kind])
    if kind == "whole" and dtype.startswith("int") and not other:
        values = values * SIGNS[: len(values)]
    return jnp.asarray(values, jnp.float32 if kind == "float" else jnp.int32).astype(dtype)


def matrix(dtype):
    values = np.array([[3, -1, 2], [0.5, 2, -4], [7, 1.1, 0], [2, 2, 5], [-3, 6, 1]])
    if dtype not in [*FLOATS, "float32"]:
        values = np.abs(np.round(values)) * (3 if dtype.startswith("u") else 1)
    return jnp.asarray(values, jnp.float32).astype(dtype)


def told(x):
    wide = "float32" if jnp.issubdtype(x.dtype, jnp.floating) else "uint32" if jnp.issubdtype(x.dtype, jnp.unsignedinteger) else "int32"
    return {"dtype": str(x.dtype), "value": np.asarray(x.astype(wide))}


def promotion():
    kinds = [*STRONG, "int32*", "float32*"]

    def one(kind):
        return {"int32*": 2, "float32*": 2.5}.get(kind) or jnp.ones(1, kind)

    table = {}
    for a in kinds:
        made = [promote_args("x", jnp.asarray(one(a)), jnp.asarray(one(b)))[0] for b in kinds]
        table[a] = " ".join(str(x.dtype) + ("*" if x.weak_type else "") for x in made)
    return table


def casts():
    floats = jnp.array([float("nan"), float("inf"), float("-inf"), 300.7, -300.7, -1.5, 1e9, -1e9, 5e9, 70000.0, 65519.9, 65520.0, 6e-8, 2e-5, 1.00390625])
    whole = jnp.array([-1, 300, -300, 70000, -70000, 2**31 - 1, -(2**31), 16777217, 65519])
    out = {}
    for source, x in [("float32", floats), ("int32", whole)]:
        for via in ["", *STRONG]:
            start = x.astype(via) if via else x
            for to in STRONG:
                if via and (STRONG.index(via) + STRONG.index(to)) % 3 != 0:
                    continue
                out[f"{source} {via} {to}".replace("  ", " ")] = told(start.astype(to))
    return out


def cases():
    out = {"promotion": promotion(), "casts": casts()}
    unary, binary, reduce, move, grads = {}, {}, {}, {}, {}
    for dtypes, names in [(FLOATS, UNARY_FLOAT), (WHOLE, UNARY_WHOLE)]:
        for k, name in enumerate(names):
            for dtype in dtypes if dtypes is FLOATS else [dtypes[k % 4], dtypes[(k + 2) % 4]]:
                try:
                    unary[f"{camel(name)} {dtype}"] = told(find(name)(operand(dtype)))
                except TypeError:
                    pass
    for dtypes, names in [(FLOATS, BINARY_FLOAT), (WHOLE, BINARY_WHOLE)]:
        for k, name in enumerate(names):
            if name.endswith("_"):
                continue
            for dtype in [dtypes[k % len(dtypes)]] if dtypes is FLOATS else [dtypes[k % 4], dtypes[(k + 3) % 4]]:
                binary[f"{camel(name)} {dtype}"] = told(find(name)(operand(dtype), operand(dtype, True)))
    for k, name in enumerate(REDUCE):
        for dtype in [FLOATS[k % 2], WHOLE[k % 4]]:
            reduce[f"{camel(name)} {dtype}"] = told(find(name)(matrix(dtype), axis=k % 2))
    for k, (name, fn) in enumerate(MOVE.items()):
        for dtype in [FLOATS[k % 2], WHOLE[k % 4]]:
            if name != "conv" or dtype in FLOATS:
                move[f"{name} {dtype}"] = told(fn(matrix(dtype)))
    for k, name in enumerate(GRADS):
        dtype = FLOATS[k % 2]
        x = jnp.asarray([0.5, 1.25, 2.0, 0.1, 3.0], dtype)
        scale = jnp.asarray([1.0, 2.0, -1.0, 0.5, 3.0], dtype)
        grads[f"{camel(name)} {dtype}"] = told(jax.grad(lambda v: jnp.sum(find(name)(v) * scale))(x))
    m, w = matrix("bfloat16"), matrix("bfloat16").T
    grads["matmul bfloat16"] = told(jax.grad(lambda v: jnp.sum((v @ w) ** 2))(m))
    big = jnp.full((300, 300), 7, "float16")
    reduce["bigMean float16"] = told(jnp.mean(big))
    reduce["bigSum float16"] = told(jnp.sum(jnp.full((3000,), 1.001, "float16")))
    reduce["bigSum bfloat16"] = told(jnp.sum(jnp.full((3000,), 1.001, "bfloat16")))
    draws = {}
    for dtype in FLOATS:
        key = jax.random.key(7)
        draws[f"uniform {dtype}"] = told(jax.random.uniform(key, (65,), dtype))
        draws[f"uniformBetween {dtype}"] = told(jax.random.uniform(key, (65,), dtype, -2, 3))
        draws[f"normal {dtype}"] = told(jax.random.normal(key, (65,), dtype))
        draws[f"truncatedNormal {dtype}"] = told(jax.random.truncated_normal(key, -2, 2, (65,), dtype))
        for name in ["lecun_normal", "glorot_uniform", "he_normal"]:
            draws[f"{camel(name)} {dtype}"] = told(getattr(jax.nn.initializers, name)()(key, (5, 7), dtype))
        for kwargs in [{"dtype": dtype}, {"param_dtype": dtype}, {"dtype": dtype, "param_dtype": dtype}]:
            layer = nnx.Linear(5, 3, rngs=nnx.Rngs(3), **{k: jnp.dtype(v) for k, v in kwargs.items()})
            draws[f"linear {'+'.join(camel(k) for k in kwargs)} {dtype}"] = told(layer(matrix("float32").T))
    out["draws"] = draws
    return {**out, "unary": unary, "binary": binary, "reduce": reduce, "move": move, "grads": grads}
