"""Which dtypes functions of jax.lax take: every call with arrays of every two dtypes, as a bit for each pair."""

import re

import jax
import jax.numpy as jnp
from jax import lax

DTYPES = ["bool", "int8", "int32", "uint8", "uint32", "float16", "bfloat16", "float32"]
# Arguments of the first dtype, of the second, and such scalars; all else is as it stands.
A, B, a, b = {"of": 0, "shape": [4]}, {"of": 1, "shape": [4]}, {"of": 0, "shape": []}, {"of": 1, "shape": []}
AA, BB = {"of": 0, "shape": [4, 4]}, {"of": 1, "shape": [4, 4]}
IMAGE, FILTER = {"of": 0, "shape": [1, 1, 4]}, {"of": 1, "shape": [1, 1, 2]}

ONE = """abs acos acosh asin asinh atan atanh bitwise_not bessel_i0e bessel_i1e cbrt ceil clz cos cosh digamma erf erfc erf_inv exp
exp2 expm1 floor is_finite lgamma log log1p logistic neg population_count reciprocal round rsqrt sign sin sinh sqrt square stop_gradient
tan tanh cummax cummin cumprod cumsum sort""".split()
TWO = """add atan2 bitwise_and bitwise_or bitwise_xor div eq ge gt igamma igammac igamma_grad_a le lt max min mul mulhi ne nextafter
polygamma pow rem shift_left shift_right_arithmetic shift_right_logical sub zeta dot sort_key_val broadcast_like
select_n""".split()

CALLS = [
    *[(name, [A]) for name in ONE],
    *[(name, [A, B]) for name in TWO],
    ("betainc", [A, B, B]),
    ("betainc", [B, A, B]),
    ("betainc", [B, B, A]),
    ("clamp", [a, B, a]),
    ("select_n", [A, B, B]),
    ("random_gamma_grad", [A, A]),
    ("integer_pow", [A, 2]),
    ("integer_pow", [A, -2]),
    ("argmax", [A, 0, jnp.int32]),
    ("argmin", [A, 0, jnp.int32]),
    *[(f"reduce_{name}", [A, [0]]) for name in "and max min or prod sum xor".split()],
    ("concatenate", [[A, B], 0]),
    ("pad", [A, b, [[1, 1, 0]]]),
    ("batch_matmul", [{"of": 0, "shape": [1, 4, 4]}, {"of": 1, "shape": [1, 4, 4]}]),
    ("conv", [IMAGE, FILTER, [1], "SAME"]),
    ("dynamic_slice", [A, [b], [2]]),
    ("dynamic_index_in_dim", [A, b]),
    ("dynamic_slice_in_dim", [A, b, 2]),
    ("dynamic_update_slice", [A, B, [0]]),
    ("dynamic_update_slice_in_dim", [A, B, 0, 0]),
    ("dynamic_update_index_in_dim", [A, b, 0, 0]),
    ("top_k", [A, 2]),
    ("approx_max_k", [A, 2]),
    ("reduce_precision", [A, 5, 10]),
    ("index_take", [AA, [B], [0]]),
    ("stack", [[A, B]]),
    ("full_like", [A, 1]),
    ("expand_dims", [A, [0]]),
    ("rev", [A, [0]]),
]


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda m: m.group(1).upper(), name)


def made(arg, dtypes):
    if isinstance(arg, dict):
        return jnp.ones(arg["shape"], dtypes[arg["of"]])
    if not isinstance(arg, list):
        return arg
    # lists of arrays, but tuples of numbers
    return (list if uses(arg, 0) or uses(arg, 1) else tuple)(made(each, dtypes) for each in arg)


def uses(arg, which):
    return arg["of"] == which if isinstance(arg, dict) else isinstance(arg, list) and any(uses(each, which) for each in arg)


def takes(name, args, dtypes):
    try:
        jax.eval_shape(lambda: getattr(lax, name)(*made(args, dtypes)))
        return "1"
    except (TypeError, ValueError):
        return "0"


def cases():
    out = {}
    for k, (name, args) in enumerate(CALLS):
        seconds = DTYPES if uses(args, 1) else [None]
        bits = {first: "".join(takes(name, args, (first, second)) for second in seconds) for first in DTYPES}
        plain = [("int32" if arg is jnp.int32 else arg) for arg in args]
        out[f"{camel(name)} {k}"] = {"name": camel(name), "args": plain, "dtypes": DTYPES, "taken": bits}
    return out
