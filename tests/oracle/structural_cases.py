"""Movement, indexing, sorting, scans and statistics of jax.numpy and lax: calls with their results and gradients.

A case is {"fn", "args", "options", "result", "grads"}. `fn` is the function's path in jnx ("jnp.roll"), args and options
are as jnx takes them: arrays in golden form, anything else as {"json": text}, lists as lists. `grads` holds the cotangents of the
float arrays among args, in order, for the cotangent 1, 1.5, 2, 1, 1.5 ... of every float result (flattened, one after the other).
"""

import json
import re

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

NAMESPACES = {"jnp": jnp, "lax": lax, "nn": jax.nn, "jax": jax, "ops": jax.ops, "special": jax.scipy.special, "linalg": jnp.linalg, "scipyLinalg": jax.scipy.linalg, "laxLinalg": lax.linalg}


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda m: m.group(1).upper(), name)


def is_array(value):
    return isinstance(value, (np.ndarray, np.generic, jax.Array))


def plain(value):
    """True for what contains no array."""
    if isinstance(value, (list, tuple)):
        return all(plain(v) for v in value)
    return not is_array(value)


def form(value):
    if is_array(value):
        return np.asarray(value)
    if plain(value):
        return {"json": json.dumps(value)}
    return [form(v) for v in value]


class Cases:
    def __init__(self):
        self.found = {}

    def add(self, label, path, call, args, options, grad=True):
        """`call` takes the args; options are only told."""
        assert label not in self.found, label
        leaves, tree = jax.tree.flatten(list(args), is_leaf=is_array)
        moving = [k for k, leaf in enumerate(leaves) if is_array(leaf) and np.asarray(leaf).dtype == np.float32]

        def run(*some):
            now = list(leaves)
            for k, leaf in zip(moving, some):
                now[k] = leaf
            return call(*jax.tree.unflatten(tree, now))

        given = [jnp.asarray(leaves[k]) for k in moving]
        result = run(*given)
        out = {"fn": path, "args": [form(a) for a in args], "options": {k: form(v) for k, v in options.items()}}
        out["result"] = jax.tree.map(np.asarray, result)
        floats = [r for r in jax.tree.leaves(result) if r.dtype == np.float32]
        if grad and given and floats:

            def flat(*some):
                return jnp.concatenate([jnp.ravel(r) for r in jax.tree.leaves(run(*some)) if r.dtype == np.float32])

            y, pull = jax.vjp(flat, *given)
            out["grads"] = [np.asarray(g) for g in pull(jnp.asarray(1 + 0.5 * (np.arange(y.size) % 3), jnp.float32))]
        self.found[label] = out

    def __call__(self, label, path, *args, grad=True, **kwargs):
        space, name = path.split(".")
        options = {camel(k): v for k, v in kwargs.items()}
        full = f"{path} {label}"
        target = getattr(NAMESPACES[space], name)
        self.add(full, f"{space}.{camel(name)}", lambda *a: target(*a, **kwargs), args, options, grad)


RNG = np.random.default_rng(5)


def floats(*shape):
    return (RNG.integers(-40, 41, shape) / 8).astype(np.float32)


def distinct(*shape):
    """Floats of which no two are equal."""
    n = int(np.prod(shape))
    return ((RNG.permutation(n) - n // 2) / 4).astype(np.float32).reshape(shape)


def ints(*shape, low=-5, high=6):
    return RNG.integers(low, high, shape).astype(np.int32)


def bools(*shape):
    return RNG.integers(0, 2, shape).astype(bool)


def movement(c):
    x, v = floats(3, 4), floats(5)
    for shift, axis in [(1, None), (-2, 1), (7, 0), ((1, 2), (0, 1)), (3, (0, 1)), (0, 0), ((1, 1), 0)]:
        c(f"by {shift} along {axis}", "jnp.roll", x, shift, axis=axis)
    c("of nothing", "jnp.roll", np.zeros((0, 3), np.float32), 1, axis=0)
    c("by the device's shift", "jnp.roll", x, np.int32(-3), axis=1)
    c("by the device's shifts", "jnp.roll", x, np.array([2, -9], np.int32), axis=(0, 1))
    for k in range(-1, 4):
        c(f"{k} turns", "jnp.rot90", x, k)
    c("of axes 2, 0", "jnp.rot90", floats(2, 3, 4), 1, axes=(2, 0))
    for reps in [2, (2, 1), (1, 3), (2, 1, 2), (2, 3), 0, ()]:
        c(f"{reps}", "jnp.tile", x, reps)
    c("of a scalar", "jnp.tile", np.float32(2), (2, 2))
    c("of rank 7, each twice", "jnp.tile", floats(1, 2, 1, 2, 1, 2, 1), (2,) * 7)
    for name in ["fliplr", "flipud"]:
        c("of a matrix", f"jnp.{name}", x)
    for name in ["triu", "tril"]:
        for k in [0, 1, -2, 9, -9]:
            c(f"{k}", f"jnp.{name}", x, k)
        c("of a batch of ints", f"jnp.{name}", ints(2, 3, 3))
        c("of bools", f"jnp.{name}", bools(3, 3))
    for k in [0, 2, -1]:
        c(f"of a vector, {k}", "jnp.diag", v, k)
        c(f"of a matrix, {k}", "jnp.diag", x, k)
    c("of bools", "jnp.diag", bools(3))
    c("2", "jnp.diagflat", x, 2)
    for offset in [0, 1, 3, 4, 9, -2, -3]:
        c(f"offset {offset}", "jnp.diagonal", x, offset=offset)
    c("of axes 2, 0", "jnp.diagonal", floats(3, 2, 4), offset=1, axis1=2, axis2=0)
    c("of axes 1, -1", "jnp.diagonal", floats(3, 2, 4), offset=-1, axis1=1, axis2=-1)
    c("offset 1", "jnp.trace", x, offset=1)
    c("of bools", "jnp.trace", bools(3, 3))
    c("of a batch", "jnp.trace", floats(2, 3, 3), axis1=1, axis2=2)
    c("3", "jnp.tri", 3)
    c("3, 4, k -1", "jnp.tri", 3, 4, k=-1, dtype="int32")
    c("2, 4, k 1", "jnp.eye", 2, 4, k=1)
    c("3, k -1", "jnp.eye", 3, None, k=-1, dtype="int32")
    c("3", "jnp.identity", 3, dtype="bool")
    c("3, k 1", "jnp.tril_indices", 3, k=1)
    c("3, m 4", "jnp.triu_indices", 3, m=4)
    c("3", "jnp.diag_indices", 3)
    a, b = floats(3), floats(2)
    c("xy", "jnp.meshgrid", a, b)
    c("ij", "jnp.meshgrid", a, b, indexing="ij")
    c("sparse, three", "jnp.meshgrid", a, b, floats(4), sparse=True)
    c("of one", "jnp.meshgrid", a)
    c("2, 3", "jnp.indices", (2, 3))
    c("sparse", "jnp.indices", (2, 3), sparse=True)
    c("of nothing", "jnp.indices", ())
    c("three", "jnp.broadcast_arrays", floats(3), floats(2, 1), np.float32(1))


def ranges(c):
    c("0, 1", "jnp.linspace", 0, 1)
    c("2, 3, 5", "jnp.linspace", 2, 3, 5, endpoint=False)
    c("with the step", "jnp.linspace", 2, 3, 5, retstep=True)
    c("one", "jnp.linspace", 2, 3, 1)
    c("one with the step", "jnp.linspace", 2, 3, 1, retstep=True)
    c("none", "jnp.linspace", 2, 3, 0)
    c("ints", "jnp.linspace", -3, 4, 6, dtype="int32")
    c("arrays along 1", "jnp.linspace", floats(3), floats(2, 1), 4, axis=1)
    c("arrays along -1", "jnp.linspace", floats(3), 2.5, 4, axis=-1, endpoint=False)
    c("0, 2, 5", "jnp.logspace", 0, 2, 5)
    c("base 2", "jnp.logspace", 0, 4, 4, base=2, endpoint=False)
    c("1, 1000, 4", "jnp.geomspace", 1, 1000, 4)
    c("of negatives", "jnp.geomspace", -1, -8, 4, endpoint=False)
    c("arrays", "jnp.geomspace", np.array([1, 2], np.float32), np.array([8.0, 0.5], np.float32), 3, axis=-1)
    c("3", "jnp.arange", 3)
    c("1, 2, 0.25", "jnp.arange", 1, 2, 0.25)
    c("5, 1, -2", "jnp.arange", 5, 1, -2, dtype="float32")
    c("options only", "jnp.arange", 3, dtype="float32")


def padding(c):
    x, v = floats(2, 3), floats(4)
    widths = [1, (2, 1), ((1, 2),), ((2, 0), (1, 3))]
    for mode in "edge linear_ramp maximum mean median minimum reflect symmetric wrap empty constant".split():
        for width in widths:
            c(f"{mode} {width}", "jnp.pad", x, width, mode=mode)
        c(f"{mode}, ints", "jnp.pad", ints(3, 2), 2, mode=mode)
        c(f"{mode} past the array", "jnp.pad", v, (9, 7), mode=mode)
        c(f"{mode} of extent 1", "jnp.pad", floats(1, 2), 2, mode=mode)
        if mode in ["wrap", "reflect", "symmetric", "edge"]:
            c(f"{mode} of nothing by nothing", "jnp.pad", np.zeros((0, 2), np.float32), ((0, 0), (1, 1)), mode=mode)
    for mode in ["reflect", "symmetric"]:
        c(f"{mode} odd", "jnp.pad", v, (3, 9), mode=mode, reflect_type="odd")
        c(f"{mode} odd of extent 1", "jnp.pad", floats(1), (2, 1), mode=mode, reflect_type="odd")
        c(f"{mode} odd 2-d", "jnp.pad", x, 2, mode=mode, reflect_type="odd")
    for stat in ["maximum", "minimum", "mean", "median"]:
        c(f"{stat} of 2", "jnp.pad", v, 2, mode=stat, stat_length=2)
        c(f"{stat} of 1 and 3", "jnp.pad", x, 1, mode=stat, stat_length=((1, 3), (9, 2)))
    c("constant 7", "jnp.pad", x, 1, constant_values=7)
    c("constants 1, 2", "jnp.pad", x, 1, constant_values=(1, 2))
    c("constants of each", "jnp.pad", x, 2, constant_values=((1, 2), (3, 4)))
    c("ends", "jnp.pad", x, 2, mode="linear_ramp", end_values=((1, 2), (3, 4)))
    c("of a scalar", "jnp.pad", np.float32(3), 1, grad=False)


def windows(c):
    x = floats(4, 5)
    i = np.int32
    for starts in [(1, 2), (9, -1), (-3, -9), (0, 0)]:
        c(f"{starts}", "lax.dynamic_slice", x, [i(starts[0]), i(starts[1])], (2, 3))
        c(f"known {starts}", "lax.dynamic_slice", x, starts, (2, 3))
        c(f"{starts}", "lax.dynamic_update_slice", x, floats(2, 3), [i(starts[0]), i(starts[1])])
        c(f"known {starts}", "lax.dynamic_update_slice", x, floats(2, 3), starts)
    c("by an array", "lax.dynamic_slice", x, np.array([3, 1], np.int32), (2, 5))
    c("of nothing", "lax.dynamic_slice", x, [i(3), i(1)], (0, 5))
    c("by uint32", "lax.dynamic_slice", x, [np.uint32(4294967295), np.uint32(1)], (2, 2))
    c("of bools", "lax.dynamic_slice", bools(7), [i(3)], (3,))
    c("of ints", "lax.dynamic_update_slice", ints(7), ints(2), [i(6)])
    c("all of it", "lax.dynamic_update_slice", x, floats(4, 5), [i(6), i(2)])
    c("axis 1", "lax.dynamic_slice_in_dim", x, i(3), 2, 1)
    c("axis 0", "lax.dynamic_slice_in_dim", x, i(-2), 2)
    c("axis 1", "lax.dynamic_index_in_dim", x, i(-1), 1)
    c("without the axis", "lax.dynamic_index_in_dim", x, i(2), 0, keepdims=False)
    c("axis 1", "lax.dynamic_update_slice_in_dim", x, floats(4, 2), i(2), 1)
    c("axis 1", "lax.dynamic_update_index_in_dim", x, floats(4), i(2), 1)
    c("with the axis", "lax.dynamic_update_index_in_dim", x, floats(1, 5), i(-1), 0)


def scans(c):
    x, i = floats(3, 5), ints(3, 5)
    for name in ["cumsum", "cumprod"]:
        for axis in [None, 0, -1]:
            c(f"axis {axis}", f"jnp.{name}", x, axis=axis)
        c("ints", f"jnp.{name}", i, axis=1)
        c("of bools", f"jnp.{name}", bools(6))
        c("to bool", f"jnp.{name}", ints(6, low=-1, high=2), dtype="bool")
        c("to float32", f"jnp.{name}", i, axis=0, dtype="float32")
        c("of a scalar", f"jnp.{name}", np.float32(3))
        c("of nothing", f"jnp.{name}", np.zeros((0, 3), np.float32), axis=0)
        c("with zeros", f"jnp.{name}", np.array([2, 0, 3, 0, 4], np.float32))
        nan = np.array([[1, np.nan, 2], [np.nan, np.nan, 3]], np.float32)
        c("of NaN", f"jnp.nan{name}", nan, axis=1)
        c("of ints", f"jnp.nan{name}", i, axis=1)
        c("of infinities", f"jnp.{name}", np.array([1, np.inf, 2, -np.inf, 5], np.float32), grad=False)
    c("with the start", "jnp.cumulative_sum", x, axis=1, include_initial=True)
    c("of bools with the start", "jnp.cumulative_sum", bools(4), include_initial=True)
    c("with the start", "jnp.cumulative_prod", x, axis=0, include_initial=True)
    for name in ["cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"]:
        y = distinct(4, 6)
        for axis, reverse in [(0, False), (1, False), (0, True), (1, True)]:
            full = f"lax.{name} axis {axis}, reverse {reverse}"
            c.add(full, f"lax.{name}", lambda a, k, n=name, r=reverse: getattr(lax, n)(a, k, r), [y, axis], {"reverse": reverse})
        c("of ties", f"lax.{name}", np.array([1, 3, 2, 3, 0, 5], np.float32))
        c("of infinities", f"lax.{name}", np.array([-np.inf, -np.inf, 1, np.inf, np.inf, 2], np.float32), grad=False)
        c("of NaN", f"lax.{name}", np.array([1, np.nan, 2], np.float32), grad=False)
        c("of [5, 200]", f"lax.{name}", distinct(5, 200) / 4000, 1, grad=False)
    for name in ["cummax", "cummin"]:
        c("of ints", f"lax.{name}", ints(9))
        c("of uints", f"lax.{name}", np.array([5, 4294967295, 0, 7], np.uint32))


def sorting(c):
    x, y, i = distinct(3, 7), floats(3, 7), ints(4, 9)
    special = np.array([3, np.nan, -0.0, 0.0, -np.inf, np.inf, -2, 1, -1, 0.0, -0.0, 3], np.float32)
    for name in ["sort", "argsort"]:
        for axis in [-1, 0, None]:
            c(f"axis {axis}", f"jnp.{name}", x, axis=axis)
        c("with ties", f"jnp.{name}", y, axis=0)
        c("descending with ties", f"jnp.{name}", y, descending=True)
        c("of ints", f"jnp.{name}", i)
        c("of ints descending", f"jnp.{name}", i, axis=0, descending=True)
        c("of bools", f"jnp.{name}", bools(9))
        c("of uints", f"jnp.{name}", np.array([5, 4294967295, 0, 2147483648], np.uint32))
        c("of special values", f"jnp.{name}", special, grad=False)
        c("of nothing", f"jnp.{name}", np.zeros((2, 0), np.float32))
        c("of one", f"jnp.{name}", np.ones((2, 1), np.float32))
        c("of rank 3, axis 1", f"jnp.{name}", distinct(2, 5, 3), axis=1)
    c("to uint32", "jnp.argsort", i, dtype="uint32")
    k1, k2 = ints(12, low=0, high=3), ints(12, low=0, high=3)
    c("of two", "jnp.lexsort", [k1, k2])
    c("of floats and ints, axis 0", "jnp.lexsort", [floats(3, 4), ints(3, 4, high=-3)], axis=0)
    c("of an array", "lax.sort", x)
    c("of an array, dimension 0", "lax.sort", x, dimension=0)
    c("of three, two keys", "lax.sort", [k1, k2, floats(12)], num_keys=2)
    c("of a key and floats", "lax.sort", [distinct(3, 4), floats(3, 4)], dimension=0)
    c("axis 1", "lax.sort_key_val", distinct(3, 4), floats(3, 4), 1)
    for k in [0, 1, 3, 7]:
        c(f"{k}", "lax.top_k", y, k)
    c("of ints", "lax.top_k", i, 4)
    c("axis 0", "lax.top_k", x, 2, axis=0)
    for kth in [0, 2, -1]:
        c(f"{kth}", "jnp.partition", x, kth)
        c(f"{kth}", "jnp.argpartition", y, kth)
    c("axis 0 of ints", "jnp.partition", i, 1, axis=0)
    c("axis 0 of ints", "jnp.argpartition", i, 1, axis=0)
    c("of uints", "jnp.partition", np.array([5, 0, 3, 4000000000], np.uint32), 1)


def quantiles(c):
    x = distinct(4, 5)
    nan = x.copy()
    nan[1, 2] = nan[3, 0] = np.nan
    for method in "linear lower higher midpoint nearest inverted_cdf".split():
        for q in [0.0, 0.3, 0.5, 1.0]:
            c(f"{method} {q}", "jnp.quantile", x, q, method=method)
        c(f"{method} along 1, several", "jnp.quantile", x, np.array([0.1, 0.5, 0.9], np.float32), axis=1, method=method)
        c(f"{method} along 0, kept", "jnp.quantile", x, np.array([0.2, 0.7], np.float32), axis=0, method=method, keepdims=True)
        c(f"{method} of NaN", "jnp.quantile", nan, 0.4, axis=1, method=method, grad=False)
        c(f"{method} of NaN", "jnp.nanquantile", nan, 0.4, axis=1, method=method, grad=False)
    c("axes 0, 2", "jnp.quantile", distinct(2, 3, 4), 0.25, axis=(0, 2))
    c("of ints", "jnp.quantile", ints(3, 4), 0.25, axis=0)
    c("weighted", "jnp.quantile", x, 0.4, axis=1, method="inverted_cdf", weights=np.abs(floats(5)), grad=False)
    c("weighted each", "jnp.nanquantile", nan, 0.6, axis=0, method="inverted_cdf", weights=np.abs(floats(4, 5)), grad=False)
    c("30", "jnp.percentile", x, 30.0, axis=0)
    c("several", "jnp.percentile", x, np.array([10, 50], np.int32), axis=1)
    c("30", "jnp.nanpercentile", nan, 30.0, axis=0, grad=False)
    for axis in [None, 0, 1, (0, 1)]:
        c(f"axis {axis}", "jnp.median", x, axis=axis)
    c("kept", "jnp.median", x, axis=1, keepdims=True)
    c("of ints", "jnp.median", ints(3, 4))
    c("of NaN", "jnp.median", nan, axis=0, grad=False)
    c("of NaN", "jnp.nanmedian", nan, axis=1, grad=False)
    c("of nothing but NaN", "jnp.nanmedian", np.array([[np.nan, np.nan], [1, 2]], np.float32), axis=1, grad=False)


INDICES = [
    ("a number", 1),
    ("from the end", -1),
    ("two numbers", [0, -2]),
    ("a range", [[1, 3]]),
    ("a range from the end", ["...", [-3, None]]),
    ("a strided range", [[None, None, 2], [3, None, -2]]),
    ("an empty range", [[2, 1]]),
    ("a new axis", [None, 1, None]),
    ("dots", ["...", 0]),
    ("an array", np.array([2, 0, -1], np.int32)),
    ("an array twice", np.array([1, 1, 0, 1], np.int32)),
    ("a matrix", np.array([[0, 2], [1, 0]], np.int32)),
    ("two arrays", [np.array([0, 2, 0], np.int32), np.array([3, -1, 3], np.int32)]),
    ("a number and an array", [1, np.array([3, 0], np.int32)]),
    ("a range and an array", [[0, 2], np.array([3, 0], np.int32)]),
    ("arrays that broadcast", [np.array([[0], [2]], np.int32), np.array([1, 3], np.int32)]),
    ("outside", np.array([0, 7, -9], np.int32)),
    ("outside, a number", 9),
    ("uint32", np.array([2, 4294967295], np.uint32)),
    ("nothing", np.zeros(0, np.int32)),
]
CUBE = [
    ("arrays apart", [np.array([0, 1], np.int32), [None, None], np.array([1, 0], np.int32)]),
    ("neighbours in the middle", [[None, None], np.array([0, 2, 1], np.int32), np.array([1, 0, 3], np.int32)]),
    ("a number apart", ["...", np.array([0, 2], np.int32), 1]),
    ("with a new axis", [np.array([0, 1], np.int32), None, [1, 3]]),
    ("in the middle, strided", [[None, None, -1], np.array([2, 2], np.int32), [0, 4, 3]]),
]


def python_index(index):
    """The index as Python writes it."""

    def one(entry):
        if isinstance(entry, list):
            return slice(*entry)
        return Ellipsis if isinstance(entry, str) else entry

    return tuple(one(e) for e in index) if isinstance(index, list) else one(index)


def indexing(c):
    def at(label, x, index, method, *values, grad=True, **options):
        def call(array, _index, *rest):
            return getattr(jnp.asarray(array).at[python_index(index)], method)(*rest, **options)

        told = {camel(k): v for k, v in options.items()}
        given = [x, np.asarray(index) if is_array(index) else index, *values]
        c.add(f"at.{method} {label}", f"at.{method}", call, given, told, grad)

    for shape, entries in [((3, 4), INDICES), ((2, 3, 4), CUBE)]:
        x = floats(*shape)
        for name, index in entries:
            part = x[python_index(index)] if "outside" not in name and name != "uint32" else np.asarray(jnp.asarray(x)[python_index(index)])
            # JAX reads the nearest element there, but gives it no cotangent; jnx gives it one.
            if name != "uint32":
                at(name, x, index, "get", grad=name != "outside")
            for method in ["set", "add", "mul", "max"]:
                if method == "mul" and name not in ["a number", "a range"]:
                    at(name, x, index, method, np.float32(1.5), grad=False)
                    continue
                at(name, x, index, method, floats(*part.shape))
            at(f"{name} by one number", x, index, "set", np.float32(7), grad=False)
    x = floats(3, 4)
    outside = np.array([0, 7, -9], np.int32)
    for mode in ["fill", "clip", "drop", "promise_in_bounds"]:
        if mode != "promise_in_bounds":
            at(f"{mode}", x, outside, "get", mode=mode)
            at(f"{mode}", x, outside, "set", floats(3, 4), mode=mode)
            at(f"{mode}", x, outside, "add", floats(3, 4), mode=mode)
    at("filled with 5", x, outside, "get", mode="fill", fill_value=5)
    at("fill of ints", ints(4), outside, "get", mode="fill")
    at("unique", x, np.array([2, 0], np.int32), "mul", floats(2, 4), unique_indices=True)
    at("twice", x, np.array([2, 2], np.int32), "divide", np.float32(2), grad=False)
    at("of ints", ints(5), np.array([1, 1, 3], np.int32), "add", ints(3))
    at("of a row", x, np.array([0, 2], np.int32), "set", floats(4))
    mask = bools(3, 4)
    at("a mask", x, mask, "set", np.float32(0))
    at("a mask", x, mask, "add", np.float32(2))
    at("a mask of rows", x, bools(3), "max", np.float32(0.5))
    data, ids = floats(6, 2), np.array([0, 2, 2, 5, 0, -1], np.int32)
    for name in ["segment_sum", "segment_max", "segment_min", "segment_prod"]:
        target = getattr(jax.ops, name)
        for label, values in [("of rows", data), ("of ints", ints(6))]:
            c.add(f"{name} {label}", f"ops.{camel(name)}", lambda d, i, f=target: f(d, i, num_segments=4), [values, ids], {"numSegments": 4}, grad=name != "segment_prod")


def searching(c):
    edges = np.array([-2, -1, -1, 0, 3, 3, 3, 7], np.float32)
    v = np.array([[-9, -2, -1, 0.5], [3, 7, 8, np.nan]], np.float32)
    for side in ["left", "right"]:
        c(f"{side}", "jnp.searchsorted", edges, v, side=side)
        c(f"{side} with NaN in it", "jnp.searchsorted", np.array([1, 2, np.nan, np.nan], np.float32), v, side=side)
        c(f"{side} of ints", "jnp.searchsorted", np.array([1, 3, 5], np.int32), ints(7, low=0, high=7), side=side)
    c("with a sorter", "jnp.searchsorted", np.array([3, 1, 2], np.float32), np.float32(2.5), sorter=np.array([1, 2, 0], np.int32))
    c("in nothing", "jnp.searchsorted", np.zeros(0, np.float32), v)
    big = np.sort(floats(1000)).astype(np.float32)
    c("in 1000 of 100", "jnp.searchsorted", big, floats(100))
    for right in [False, True]:
        c(f"right {right}", "jnp.digitize", v, np.array([-1, 0, 3], np.float32), right=right)
        c(f"descending, right {right}", "jnp.digitize", v, np.array([3, 0, -1], np.float32), right=right)
    x = np.array([0, 3, 1, 1, -2, 9], np.int32)
    c("length 5", "jnp.bincount", x, length=5)
    c("weighted", "jnp.bincount", x, length=5, weights=floats(6))
    c("known", "jnp.bincount", np.abs(x), minlength=12)
    y = floats(30)
    c("of 10", "jnp.histogram", y)
    c("of 4 in a range", "jnp.histogram", y, bins=4, range=(-2, 3))
    c("density", "jnp.histogram", y, bins=3, density=True)
    c("by edges, weighted", "jnp.histogram", y, bins=np.array([-3, 0, 1, 4], np.float32), weights=floats(30))
    c("of equals", "jnp.histogram", np.ones(4, np.float32), bins=2)
    c("of 3", "jnp.histogram_bin_edges", y, bins=3)
    z = np.array([[0, 2, 0], [3, 0, 4]], np.int32)
    for size in [0, 2, 3, 5]:
        c(f"size {size}", "jnp.nonzero", z, size=size)
        c(f"size {size}, filled", "jnp.nonzero", z, size=size, fill_value=-1)
        c(f"size {size}", "jnp.flatnonzero", z, size=size)
    c("size 3", "jnp.argwhere", z, size=3)
    c("of floats with NaN", "jnp.nonzero", np.array([0, np.nan, -0.0, 2], np.float32), size=3)
    c("of three", "jnp.select", [bools(4), bools(4)], [floats(4), floats(4)], np.float32(9))
    c("broadcast", "jnp.select", [bools(2, 1), bools(3)], [floats(3), np.float32(2)])
    for mode in ["wrap", "clip"]:
        c(mode, "jnp.choose", np.array([0, 1, 5, -1], np.int32), [floats(4), floats(4)], mode=mode)
    c("in range", "jnp.choose", np.array([0, 1, 1], np.int32), [floats(3), floats(3)])


def statistics(c):
    x = floats(3, 4)
    nan = x.copy()
    nan[0, 1] = nan[2, :] = np.nan
    mask = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 1, 1]], bool)
    for name in ["sum", "prod", "max", "min"]:
        c("where and initial", f"jnp.{name}", x, axis=1, where=mask, initial=2)
        c("initial", f"jnp.{name}", x, axis=0, initial=1)
        c("of ints where", f"jnp.{name}", ints(3, 4), where=mask, initial=3)
        c("of nothing from 5", f"jnp.{name}", np.zeros((0, 2), np.float32), axis=0, initial=5)
    for name in ["sum", "prod", "mean", "var", "std"]:
        c("where", f"jnp.{name}", x, axis=0, where=mask, grad=name != "std")
        c("where nothing", f"jnp.{name}", x, axis=1, where=mask, keepdims=True, grad=False)
    for name in ["any", "all"]:
        c("where", f"jnp.{name}", x > 0, axis=1, where=mask)
    c("where, ddof 1", "jnp.var", x, axis=1, where=mask, ddof=1, grad=False)
    for name in ["nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd"]:
        for axis in [None, 0, 1]:
            c(f"axis {axis}", f"jnp.{name}", nan, axis=axis, grad=False)
        c("of ints", f"jnp.{name}", ints(3, 4), axis=0)
        c("kept, without NaN", f"jnp.{name}", x, axis=1, keepdims=True)
    c("ddof 1", "jnp.nanvar", nan, axis=0, ddof=1, grad=False)
    for name in ["nanargmax", "nanargmin"]:
        for axis in [None, 0, 1]:
            c(f"axis {axis}", f"jnp.{name}", nan, axis=axis)
    c("axis 1", "jnp.count_nonzero", ints(3, 5, low=0, high=2), axis=1)
    c("of floats", "jnp.count_nonzero", np.array([0, np.nan, -0.0, 1], np.float32), keepdims=True)
    c("axis 1", "jnp.ptp", distinct(3, 4), axis=1)
    c("of ints", "jnp.ptp", ints(3, 4))
    w = np.abs(floats(3, 4)) + 1
    c("plain", "jnp.average", x, axis=0)
    c("weighted", "jnp.average", x, weights=w)
    c("weighted along 1", "jnp.average", x, axis=1, weights=w[0])
    c("weighted along 0, kept", "jnp.average", x, axis=0, weights=w, keepdims=True)
    c("of ints", "jnp.average", ints(3, 4), axis=1)
    for n in [0, 1, 2, 9]:
        c(f"n {n}", "jnp.diff", x, n=n)
    c("axis 0", "jnp.diff", x, axis=0)
    c("of bools", "jnp.diff", bools(6))
    c("between", "jnp.diff", ints(5), prepend=np.int32(0), append=np.int32(9))
    c("plain", "jnp.ediff1d", x)
    c("between", "jnp.ediff1d", ints(4), to_begin=np.int32(-99), to_end=np.array([88, 99], np.int32))
    c("dx 0.5", "jnp.trapezoid", x, dx=0.5)
    c("axis 0", "jnp.trapezoid", x, axis=0)
    c("with x", "jnp.trapezoid", x, x=np.array([0, 1, 3, 4], np.float32))
    c("plain", "jnp.cov", x)
    c("columns", "jnp.cov", x, rowvar=False)
    c("bias", "jnp.cov", x, bias=True)
    c("of a vector", "jnp.cov", floats(5))
    c("with y", "jnp.cov", x, y=floats(2, 4))
    c("weighted", "jnp.cov", x, fweights=np.array([1, 2, 1, 3], np.int32), aweights=np.array([1, 2, 0.5, 1], np.float32), grad=False)
    c("plain", "jnp.corrcoef", x)


FAMILIES = [movement, ranges, padding, windows, scans, sorting, quantiles, indexing, searching, statistics]


def cases(family):
    global RNG
    RNG = np.random.default_rng(5)
    c = Cases()
    family(c)
    return c.found
