"""Editing, sets, numeric helpers and lax's own forms of functions, in the form of structural_cases."""

import jax
import numpy as np
from structural_cases import bools, distinct, floats, ints

I32 = np.int32


def arr(*values):
    return np.array(values, I32)


def editing(c):
    x, v = floats(3, 4), floats(5)
    c("each twice", "jnp.repeat", x, 2)
    c("each twice along 1", "jnp.repeat", x, 2, axis=1)
    c("by counts", "jnp.repeat", v, arr(2, 0, 1, 3, 1))
    c("by counts along 1", "jnp.repeat", x, arr(0, 2, 0, 1), axis=1)
    c("by one count", "jnp.repeat", v, arr(3))
    c("more than there are", "jnp.repeat", v, arr(2, 0, 1, 0, 1), total_repeat_length=7)
    c("fewer than there are", "jnp.repeat", v, arr(0, 4, 1, 2, 1), total_repeat_length=3)
    c("of ints, negative axis", "jnp.repeat", ints(2, 3), arr(1, 2, 0), axis=-1)
    c("no times", "jnp.repeat", v, 0)
    c("one", "jnp.insert", v, 2, np.float32(9))
    c("at the end", "jnp.insert", v, 5, np.float32(9))
    c("past the end", "jnp.insert", v, 8, np.float32(9))
    c("from the end", "jnp.insert", v, -1, np.float32(9))
    c("several at one place", "jnp.insert", v, 1, floats(3))
    c("at several places", "jnp.insert", v, arr(3, 0, 3), floats(3))
    c("one at several places", "jnp.insert", v, arr(4, 1), np.float32(7))
    c("rows", "jnp.insert", x, 1, floats(4), axis=0)
    c("a number into columns", "jnp.insert", x, arr(0, 4, -1), np.float32(5), axis=1)
    c("columns", "jnp.insert", x, arr(1, 3), floats(3, 2), axis=1)
    c("two columns at one place", "jnp.insert", x, 2, floats(2, 3), axis=1)
    c("into the flattened", "jnp.insert", x, arr(2), floats(2))
    c("cast to ints", "jnp.insert", ints(4), 2, np.float32(3.7))
    c("one", "jnp.delete", v, 2)
    c("from the end", "jnp.delete", v, -2)
    c("several, one twice", "jnp.delete", v, arr(3, 0, 3))
    c("along 1", "jnp.delete", x, arr(1, -1), axis=1)
    c("of the flattened", "jnp.delete", x, arr(1, 5))
    c("all", "jnp.delete", v, arr(0, 1, 2, 3, 4))
    c("by mask", "jnp.delete", x, np.array([True, False, True]), axis=0)
    c("told to be unique", "jnp.delete", v, arr(4, 1), assume_unique_indices=True)
    c("repeats", "jnp.resize", x, (2, 9))
    c("cuts", "jnp.resize", x, (5,))
    c("of nothing", "jnp.resize", np.zeros((0,), np.float32), (2, 2))


def sets(c):
    n = ints(9, low=-2, high=3)
    c("of ints", "jnp.unique", n)
    c("and all that goes with it", "jnp.unique", n, return_index=True, return_inverse=True, return_counts=True)
    c("of a matrix", "jnp.unique", ints(3, 4, low=0, high=4), return_inverse=True)
    c("filled", "jnp.unique", n, size=8, return_index=True, return_inverse=True, return_counts=True)
    c("filled with a number", "jnp.unique", n, size=7, fill_value=99, return_counts=True)
    c("cut", "jnp.unique", n, size=2, return_index=True, return_inverse=True, return_counts=True)
    wild = np.array([np.nan, 1, -0.0, 0, np.nan, np.inf, 1, -np.inf], np.float32)
    c("of NaN and zeros", "jnp.unique", wild, size=6, return_counts=True, return_inverse=True, grad=False)
    c("of unequal NaN", "jnp.unique", wild, size=7, equal_nan=False, return_counts=True, grad=False)
    rows = arr(*[[1, 0, 2], [0, 5, 1], [1, 0, 2], [0, 4, 9]])
    c("rows", "jnp.unique", rows, axis=0, return_index=True, return_inverse=True, return_counts=True)
    c("columns", "jnp.unique", rows % 2, axis=1, return_counts=True)
    c("filled rows", "jnp.unique", rows, axis=0, size=5, fill_value=-1)
    c("of bools", "jnp.unique", bools(5), size=2)
    c("of nothing", "jnp.unique", np.zeros((0,), I32))
    for name in ["unique_values", "unique_counts", "unique_inverse", "unique_all"]:
        c("of ints", f"jnp.{name}", n)
    c("of ints", "jnp.isin", ints(3, 4), arr(-3, 0, 2, 2))
    c("of floats", "jnp.isin", wild, np.array([0, np.nan, np.inf], np.float32))
    c("not", "jnp.isin", ints(5), arr(1, 2), invert=True)
    c("in nothing", "jnp.isin", ints(5), np.zeros((0,), I32))
    a, b = ints(7, low=0, high=6), ints(5, low=3, high=9)
    for name in ["union1d", "setdiff1d", "intersect1d", "setxor1d"]:
        c("of ints", f"jnp.{name}", a, b)
    c("filled", "jnp.union1d", a, b, size=9, fill_value=-1)
    c("filled", "jnp.setdiff1d", a, b, size=6, fill_value=-1)


def numeric(c):
    xp, fp = np.array([0, 1, 3, 3.5], np.float32), floats(4)
    x = np.array([-1, 0, 0.25, 2, 3.25, 3.5, 9], np.float32)
    c("plain", "jnp.interp", x, xp, fp)
    c("told ends", "jnp.interp", x, xp, fp, left=-5.0, right=7.0)
    c("periodic", "jnp.interp", x, xp, fp, period=4.0)
    c("one point", "jnp.interp", x, xp[:1], fp[:1])
    c("of floats", "jnp.polyval", floats(4), floats(3))
    c("of ints", "jnp.polyval", ints(3), ints(2, 2))
    c("plain", "jnp.vander", floats(3))
    c("increasing", "jnp.vander", floats(3), increasing=True)
    c("of a vector", "jnp.gradient", floats(6))
    c("of a matrix", "jnp.gradient", floats(3, 4))
    c("spaced", "jnp.gradient", floats(5), 0.5)
    c("at places", "jnp.gradient", floats(5), np.array([0, 1, 1.5, 4, 5], np.float32))
    c("of phases", "jnp.unwrap", np.array([0, 2, 4, 6.5, 1, -3], np.float32))
    c("of degrees", "jnp.unwrap", np.array([0, 350, 10, 200, 20], np.float32), period=360.0)
    c("along 0", "jnp.unwrap", floats(4, 2), axis=0, discont=2.0)
    c("of a vector", "jnp.unravel_index", arr(0, 5, 23, -1, 99, -99), (2, 3, 4))
    c("clipped", "jnp.ravel_multi_index", (arr(0, 1, 5), arr(-2, 2, 1)), (2, 3), mode="clip")
    c("wrapped", "jnp.ravel_multi_index", (arr(0, 1, 5), arr(-2, 2, 1)), (2, 3), mode="wrap")
    c("along 1", "jnp.gradient", floats(3, 4), axis=1)
    c("along both, turned", "jnp.gradient", floats(3, 4), axis=(1, 0))


def forms(c):
    x = floats(2, 3)

    def lax(label, name, target, *args, grad=True):
        path = f"lax.{name}"
        c.add(f"{path} {label}", path, lambda *a: getattr(jax.lax, target)(*a), args, {}, grad)

    lax("in front", "broadcast", "broadcast", x, (4, 1))
    lax("in dimensions", "broadcastInDim", "broadcast_in_dim", x, (2, 4, 3), (0, 2))
    lax("crossed", "clamp", "clamp", np.float32(2), floats(4), np.float32(1), grad=False)
    lax("along 1", "concatenate", "concatenate", [x, floats(2, 1)], 1)
    lax("turned", "reshape", "reshape", x, (3, 2), (1, 0))
    lax("two axes", "squeeze", "squeeze", floats(1, 3, 1), (0, 2))
    for y in [0, 1, 2, 5, -1, -3]:
        lax(f"{y}", "integerPow", "integer_pow", distinct(4) + np.float32(0.125), y)
    lax("both axes", "rev", "rev", x, (0, 1))
    lax("two of three", "collapse", "collapse", floats(2, 3, 2), 1, 3)
    lax("by two", "sliceInDim", "slice_in_dim", floats(7), 1, 6, 2)
    lax("open, along 1", "sliceInDim", "slice_in_dim", x, None, -1, 1, 1)
    lax("the last", "indexInDim", "index_in_dim", x, -1, 1)
    lax("batched", "batchMatmul", "batch_matmul", floats(2, 2, 3), floats(2, 3, 2))
    for name, target in [("reduceSum", "reduce_sum"), ("reduceMax", "reduce_max"), ("reduceMin", "reduce_min"), ("reduceProd", "reduce_prod")]:
        lax("axis 1", name, target, x, (1,))
        lax("of ints", name, target, ints(2, 3), (0, 1))
    lax("axis 0", "reduceAnd", "reduce_and", bools(2, 3), (0,))
    lax("axis 0", "reduceOr", "reduce_or", bools(2, 3), (0,))
    lax("of ints", "reduceXor", "reduce_xor", ints(5, 3), (0,))
    lax("of bools", "reduceXor", "reduce_xor", bools(3, 3), (0, 1))


FAMILIES = [editing, sets, numeric, forms]
