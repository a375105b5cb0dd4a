"""Options that jnx took late: each function here with every value of them that changes what comes out."""

import jax
import numpy as np

from structural_cases import bools, floats, ints


def reductionoptions(c):
    x, n = floats(3, 4), ints(3, 4)
    mask = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 1, 1]], bool)
    nan = x.copy()
    nan[0, 1] = nan[2, :] = np.nan
    for name in ["sum", "prod", "nansum", "nanprod"]:
        c("of floats as int32", f"jnp.{name}", x, axis=0, dtype="int32")
        c("of ints as float32", f"jnp.{name}", n, axis=1, dtype="float32", where=mask, initial=2)
        c("as uint32, kept", f"jnp.{name}", np.abs(n), axis=1, dtype="uint32", keepdims=True)
        c("as bool", f"jnp.{name}", n, axis=1, dtype="bool")
    for name in ["sum", "prod"]:
        c("not promoted", f"jnp.{name}", n, promote_integers=False)
        c("of bools, not promoted", f"jnp.{name}", mask, axis=1, promote_integers=False)
    for name in ["mean", "nanmean"]:
        c("of ints as float32", f"jnp.{name}", n, axis=1, dtype="float32")
        c("as int32", f"jnp.{name}", x, axis=1, dtype="int32")
        c("as int32 where", f"jnp.{name}", x, axis=0, dtype="int32", where=mask)
    for name in ["var", "std", "nanvar", "nanstd"]:
        c("about a mean", f"jnp.{name}", x, axis=1, mean=np.ones((3, 1), np.float32))
        c("about a number, ddof 1", f"jnp.{name}", x, mean=np.float32(2), ddof=1)
        c("of ints as float32", f"jnp.{name}", n, axis=1, dtype="float32")
    for name in ["nanvar", "nanstd"]:
        c("about a mean, with NaN", f"jnp.{name}", nan, axis=0, mean=np.ones((1, 4), np.float32), grad=False)
        c("as many taken off as there are", f"jnp.{name}", nan, axis=0, ddof=2, grad=False)
        c("where, with NaN", f"jnp.{name}", nan, axis=1, where=mask, grad=False)
    for name in ["var", "std"]:
        c("correction", f"jnp.{name}", x, axis=0, correction=1.5)
    huge = np.array([[1000, 1, 2, -3], [5, 5, 5, 5], [1e4, 0, -1e4, 3]], np.float32)
    some = np.array([[0, 1, 1, 1], [1, 0, 0, 0], [0, 1, 1, 1]], bool)
    for name in ["nn.logsumexp", "nn.logmeanexp"]:
        c("where the largest does not count", name, huge, axis=1, where=some)
        c("where, kept", name, x, axis=0, where=mask, keepdims=True)
        c("where nothing", name, x, axis=1, where=mask, grad=False)
        c("of ints where", name, n, where=mask)
    b = np.array([1, 0.5, 0, 2], np.float32)
    c("weighted", "nn.logsumexp", x, axis=1, b=b)
    c("weighted by ints, kept", "special.logsumexp", x, axis=0, b=np.array([[2], [1], [3]], np.int32), keepdims=True)
    c("weighted, where", "nn.logsumexp", x, axis=0, b=b, where=mask)
    c("of a negative sum", "nn.logsumexp", x, axis=1, b=-b, grad=False)
    c("sign of a negative sum", "nn.logsumexp", x, axis=1, b=-b, return_sign=True)
    c("sign", "nn.logsumexp", x, axis=1, return_sign=True)
    c("sign of nothing", "nn.logsumexp", x, b=np.zeros(4, np.float32), return_sign=True, grad=False)


def arrayoptions(c):
    x, n = floats(3, 4), ints(3, 4)
    for source, place in [((0, 2), (1, 0)), ((2, 0, 1), (0, 1, 2)), ((-1,), (0,)), ((), ()), ((0, 1), (-1, -2)), (1, -1)]:
        c(f"{source} to {place}", "jnp.moveaxis", floats(2, 3, 4), source, place)
    for config in [[(1, 0, 1), (0, 2, 0)], [(-1, 1, 0), (2, -1, 1)], [(0, 0, 0), (0, 0, 0)]]:
        c(f"{config} by an array", "lax.pad", x, np.float32(2.5), config)
    c("of ints by an array", "lax.pad", n, np.int32(7), [(1, 1, 2), (0, 0, 1)])
    c("of bools by an array", "lax.pad", bools(3), np.bool_(True), [(1, 1, 1)])
    wild = np.array([0, 5, -1, -9, 2], np.int32)
    for fill in [-7, 0, 2.5]:
        c(f"filled with {fill}", "jnp.take", x, wild, axis=1, fill_value=fill)
        c(f"filled with {fill}", "jnp.take_along_axis", x, np.array([[5], [-1], [-9]], np.int32), 1, fill_value=fill)
    c("of ints filled with 9", "jnp.take", n, wild, mode="fill", fill_value=9, unique_indices=False, indices_are_sorted=False)
    c("clipped for all its filling", "jnp.take", x, wild, axis=0, mode="clip", fill_value=9)
    ids = np.array([2, 0, -1, 7, 0], np.int32)
    for name in ["sum", "prod", "max", "min"]:
        for mode in ["drop", "fill", "clip"]:
            c(f"mode {mode}", f"ops.segment_{name}", floats(5, 2), ids, num_segments=3, mode=mode, grad=name == "sum")
        c("by uints, clipped", f"ops.segment_{name}", ints(3), np.array([1, 4294967295, 0], np.uint32), num_segments=2, mode="clip")
        c("in buckets", f"ops.segment_{name}", ints(5), ids, num_segments=3, bucket_size=2)
    for name in ["zeros_like", "ones_like"]:
        c("of another shape", f"jnp.{name}", n, shape=(2, 5))
        c("of another shape, floats", f"jnp.{name}", n, shape=7, dtype="float32")
    c("of another shape", "jnp.full_like", n, 5, shape=(2, 1))
    c("of one extent", "jnp.zeros", 3)
    c("of one extent", "jnp.ones", 3, dtype="int32")
    c("of one extent", "jnp.full", 3, 2.5)
    c("filled with the least", "jnp.setxor1d", ints(5), ints(6), size=9, grad=False)
    c("of nothing, filled", "jnp.setxor1d", np.array([2, 3], np.int32), np.array([3, 2], np.int32), size=4)


def productoptions(c):
    a, b = ints(3, 4), ints(4, 2)
    c("of ints as float32", "jnp.matmul", a, b, preferred_element_type="float32")
    c("of bools as int32", "jnp.matmul", a > 0, b > 0, preferred_element_type="int32")
    c("of a row of ints as float32", "jnp.matmul", a[0], b, preferred_element_type="float32")
    for name in ["convolve", "correlate"]:
        c("of ints as float32", f"jnp.{name}", ints(6), ints(3), mode="same", preferred_element_type="float32")
    x, w = ints(2, 3, 5, 6), ints(4, 3, 2, 3)
    c("of ints as float32", "lax.conv_general_dilated", x, w, window_strides=(1, 2), padding="SAME", preferred_element_type="float32")
    c("of ints as float32", "lax.conv", x, w, (1, 1), "VALID", preferred_element_type="float32")
    c("of ints as float32", "lax.conv_with_general_padding", x, w, (1, 1), [(1, 0), (0, 2)], lhs_dilation=(2, 1), rhs_dilation=(1, 1), preferred_element_type="float32")
    c("of ints as float32", "lax.conv_transpose", ints(1, 5, 3), ints(3, 3, 2), (2,), "SAME", preferred_element_type="float32")
    c("of ints as float32", "jnp.trace", a, offset=1, dtype="float32")
    c("of floats as int32", "jnp.trace", floats(3, 3), dtype="int32")


def lateroptions(c):
    t = np.array([-2, -1.5, -0.3, 0.4, 1.1, 1.9, 2.5, 3], np.float32)
    y = np.stack([t**2 - 2 * t + 1, 3 - t, np.sin(t)], 1).astype(np.float32) + 0.1 * floats(8, 3)
    w = np.array([1, 2, 1, 0.5, 1, 3, 1, 0.1], np.float32)
    for label, values in [("one", y[:, 0]), ("three", y)]:
        for weights in [None, w]:
            more = {} if weights is None else {"w": weights}
            told = label if weights is None else f"{label}, weighted"
            c(told, "jnp.polyfit", t, values, 2, grad=weights is None, **more)
            c(f"{told}, full", "jnp.polyfit", t, values, 2, full=True, grad=False, **more)
            c(f"{told}, cov", "jnp.polyfit", t, values, 2, cov=True, grad=False, **more)
            c(f"{told}, unscaled cov", "jnp.polyfit", t, values, 2, cov="unscaled", grad=False, **more)
    c("with a coarse rcond", "jnp.polyfit", t, y[:, 2], 5, rcond=0.2, grad=False)
    c("with a coarse rcond, full", "jnp.polyfit", t, y[:, 2], 5, rcond=0.2, full=True, grad=False)
    c("of too few points", "jnp.polyfit", t[:3], y[:3, 0], 4, grad=False)
    mask = np.array([[0, 3, 0, 1], [2, 0, 0, 0], [0, 0, 5, 6]], np.int32)
    c("with a size", "jnp.where", mask, size=3)
    c("with a larger size", "jnp.where", mask, size=7)
    c("filled", "jnp.where", mask, size=7, fill_value=-1)
    c("filled axis by axis", "jnp.where", mask, size=7, fill_value=(3, 4))
    c("of a vector", "jnp.where", mask[0] > 0, size=4, fill_value=9)
    c("known", "jnp.where", mask > 1)
    c("filled axis by axis", "jnp.nonzero", mask, size=6, fill_value=(3, 4))
    a, b = np.array([5, 1, 4, 1, 9, 2], np.int32), np.array([4, 7, 2, 2], np.int32)
    c("of unique ones", "jnp.setdiff1d", a, b, assume_unique=True)
    c("of unique ones, with a size", "jnp.setdiff1d", a, b, assume_unique=True, size=6, fill_value=-3)
    c("of unique ones, cut", "jnp.setdiff1d", a, b, assume_unique=True, size=2)
    c("of ints and floats", "jnp.setdiff1d", a, b.astype(np.float32), size=4)
    c("of unique ones", "jnp.setxor1d", np.array([5, 1, 4], np.int32), np.array([4, 7], np.int32), assume_unique=True)
    x = floats(3, 5)
    index = np.array([[0, -1, 7], [-5, 2, -6], [4, 1, -2]], np.int32)
    for wrap in [True, False]:
        for mode in ["fill", "clip"]:
            c(f"{mode}, negative ones {'wrap' if wrap else 'outside'}", "jnp.take_along_axis", x, index, 1, mode=mode, wrap_negative_indices=wrap)
        c(f"filled, negative ones {'wrap' if wrap else 'outside'}", "jnp.take_along_axis", x, index, 1, mode="fill", fill_value=7, wrap_negative_indices=wrap)
    c("without leading zeros", "jnp.polymul", np.array([0, 0, 1, 2], np.int32), np.array([0, 3, 4], np.int32), trim_leading_zeros=True)
    c("of nothing but zeros", "jnp.polymul", np.zeros(3, np.int32), np.array([0, 3, 4], np.int32), trim_leading_zeros=True)
    c("as columns lie", "jnp.reshape", x, (5, 3), order="F")
    c("as columns lie, worked out", "jnp.reshape", floats(2, 3, 4), (4, -1), order="F")
    c("as rows lie", "jnp.reshape", x, (5, 3), order="C")
    c("of 3 axes at least", "jnp.array", x, ndmin=3)
    c("of 1 axis at least", "jnp.array", x, ndmin=1)
    kde = jax.scipy.stats.gaussian_kde
    seen = np.array([[0, 1, 3, -1, 0.5], [0.5, 1, -2, 0, 4]], np.float32)
    for label, data in [("one dimension", seen[0]), ("two", seen)]:
        for shape in [(), (4,)]:
            c.add(f"kde.resample of {label}, {shape}", "kde.resample", lambda v, *_: kde(v).resample(jax.random.key(7), shape), [data, 7, list(shape)], {})
    weights = np.array([1, 2, 0.5, 0, 1], np.float32)
    c.add("kde.resample of weighted ones", "kde.resample", lambda v, *_: kde(v, weights=weights).resample(jax.random.key(3), (6,)), [seen, 3, [6]], {"weights": weights}, grad=False)
    a, b = np.array([0.5, 2, -1.5, 3, 1, 4.5], np.float32), np.array([1.5, 0.75, 2, 3, 5, 0.3], np.float32)
    for label, at in [("positive", [0.1, 1, 2.5, 5, 9, 0.7]), ("negative", [-0.1, -1, -2, -0.5, -0.2, -0.05])]:
        c(f"at {label} numbers", "special.hyp1f1", a, b, np.array(at, np.float32))
    c("of large numbers", "special.hyp1f1", np.float32(0.5), np.float32(40), np.array([30, 60, 85], np.float32), grad=False)
    c("at its edges", "special.hyp1f1", np.array([0, 0, 1, 2, 2], np.float32), np.array([0, 2, 0, 2, 3], np.float32), np.array([3, 3, 3, 3, 0], np.float32), grad=False)
    for label, at in [("positive", [0.1, 0.3, 0.5, 0.7, 0.2, 0.4]), ("negative", [-0.1, -0.2, -0.3, -0.5, -0.25, -0.4])]:
        c(f"at {label} numbers", "special.hyp2f1", a, b, a + b + np.float32(0.6), np.array(at, np.float32))
    c("at its edges", "special.hyp2f1", np.array([0, 1, 1, 1, 2, 0.5, 2], np.float32), np.array([2, 1, 2, 1, 3, 0.25, 1], np.float32), np.array([1, 0, -2, 3, 3, 2, 3], np.float32), np.array([0.5, 0.5, 0.5, 1.5, 0, 1, 1], np.float32), grad=False)
    c("of polynomials", "special.hyp2f1", np.array([-2, -3, 1.5], np.float32), np.array([1, 2, -2], np.float32), np.array([3, 1.5, 2], np.float32), np.array([0.3, -0.7, 0.5], np.float32), grad=False)
    c("as int32", "linalg.trace", floats(2, 3, 4), offset=1, dtype="int32", grad=False)


FAMILIES = [reductionoptions, arrayoptions, productoptions, lateroptions]
