"""Polynomials, windows, blocks, placing and what jnp.linalg is made of, in the form of structural_cases."""

import jax.numpy as jnp
import numpy as np
from structural_cases import distinct, floats, form, ints

I32 = np.int32


def arr(*values):
    return np.array(values, I32)


def polynomials(c):
    p, q = floats(4), floats(2)
    for name in ["polyadd", "polysub", "polymul"]:
        c("of floats", f"jnp.{name}", p, q)
        c("of ints", f"jnp.{name}", ints(3), ints(5))
        c("of floats and ints", f"jnp.{name}", q, ints(3))
    c("of floats", "jnp.polydiv", p, q + 3)
    c("of ints", "jnp.polydiv", arr(1, 0, -3), arr(1, -2))
    c("by a longer one", "jnp.polydiv", q, p)
    for m in [0, 1, 2, 5]:
        c(f"{m} times", "jnp.polyder", p, m)
        c(f"{m} times", "jnp.polyint", p, m)
    c("of ints", "jnp.polyder", arr(1, 2, 3))
    c("with constants", "jnp.polyint", p, 2, k=arr(3, 5))
    c("with one constant", "jnp.polyint", p, 2, k=arr(3))
    c("of roots", "jnp.poly", floats(3))
    c("of ints", "jnp.poly", arr(1, -2, 2))
    x = distinct(9)
    w = np.abs(floats(9)) + 0.5
    # In float64: JAX's singular values lose digits, and have no gradient where one is 0.
    for label, y, degree, weights in [("2", floats(9), 2, None), ("0", floats(9), 0, None), ("1 of columns", floats(9, 2), 1, None), ("2, weighted", floats(9), 2, w)]:
        fit = np.polyfit(x.astype(np.float64), y.astype(np.float64), degree, w=weights)
        options = {} if weights is None else {"w": weights}
        case = {"fn": "jnp.polyfit", "args": [x, y, form(degree)], "options": options}
        c.found[f"jnp.polyfit of degree {label}"] = case | {"result": fit.astype(np.float32)}
    for m in [0, 1, 2, 7]:
        for name in ["bartlett", "blackman", "hamming", "hanning"]:
            c(f"{m}", f"jnp.{name}", m)
        c(f"{m}", "jnp.kaiser", m, np.float32(2.5), grad=m > 1)


def assembling(c):
    a, b = floats(2, 2), floats(2, 3)
    c("two by two", "jnp.block", [[a, b], [floats(1, 2), floats(1, 3)]])
    c("of a row", "jnp.block", [floats(2), floats(3)])
    c("of scalars", "jnp.block", [[np.float32(1), np.float32(2)], [np.float32(3), np.float32(4)]])
    c("of one", "jnp.block", a)
    c("of rank 3 in one list", "jnp.block", [floats(2, 1, 2), floats(2, 1, 1)])
    x = floats(2, 3, 4)
    for axis, start in [(2, 0), (0, 2), (1, 3), (0, 3), (-1, 1), (2, -1), (1, 1)]:
        c(f"{axis} to {start}", "jnp.rollaxis", x, axis, start)
    c.add("jnp.mgrid", "jnp.mgrid", lambda *_: jnp.mgrid[0:3, 1:7:2], [(0, 3), (1, 7, 2)], {})
    c.add("jnp.mgrid of one", "jnp.mgrid", lambda *_: jnp.mgrid[0.5:2:0.5], [(0.5, 2, 0.5)], {})
    c.add("jnp.ogrid", "jnp.ogrid", lambda *_: jnp.ogrid[0:3, 1:7:2], [(0, 3), (1, 7, 2)], {})
    c.add("jnp.ix", "jnp.ix", lambda *a: jnp.ix_(*a), [arr(0, 2), arr(1, 2, 3)], {})
    m = floats(3, 4)
    c("of a matrix", "jnp.matrix_transpose", x)
    for name in ["tril_indices_from", "triu_indices_from"]:
        c("k 1", f"jnp.{name}", m, 1, grad=False)
    c("of a cube", "jnp.diag_indices_from", floats(2, 2, 2), grad=False)
    for name in ["angle", "real", "imag", "conjugate", "iscomplex", "isreal", "copy"]:
        c("of floats", f"jnp.{name}", np.array([1, -2, 0, -0.0, np.inf, -np.inf, np.nan], np.float32), grad=False)
        c("of ints", f"jnp.{name}", arr(1, -2, 0))
    c("in degrees", "jnp.angle", arr(1, -2), deg=True)


def placing(c):
    x, m = floats(5), floats(3, 4)

    def kept(label, name, *args, grad=True, **options):
        call = lambda *a: getattr(jnp, name)(*a, inplace=False, **options)
        words = name.split("_")
        path = "jnp." + words[0] + "".join(w.title() for w in words[1:])
        c.add(f"jnp.{name} {label}", path, call, list(args), options, grad)

    kept("a number", "fill_diagonal", m, np.float32(9))
    kept("in turn", "fill_diagonal", m, floats(2))
    kept("of a tall one", "fill_diagonal", floats(4, 2), np.float32(9))
    kept("of a cube", "fill_diagonal", floats(3, 3, 3), floats(3))
    kept("of ints", "fill_diagonal", ints(3, 3), arr(7))
    for mode in [None, "clip", "wrap"]:
        options = {} if mode is None else {"mode": mode}
        kept(f"mode {mode}", "put", m, arr(0, 5, 13, -1, -14), floats(5), **options)
    kept("too few values", "put", x, arr(4, 1, 3), floats(2))
    kept("too many values", "put", x, arr(4), floats(2))
    kept("in turn", "place", m, m > 0, floats(3))
    kept("of one value", "place", x, np.array([1, 0, 1, 1, 0], bool), floats(1))
    kept("along 1", "put_along_axis", m, arr([1], [3], [0]), floats(3, 1), 1)
    kept("along 0, one value", "put_along_axis", m, arr([2, 0, 1, 1]), np.float32(5), 0)
    kept("from the end", "put_along_axis", m, arr([-1, 0], [1, -4], [2, 3]), floats(3, 2), 1)
    kept("outside", "put_along_axis", m, arr([4], [1], [9]), floats(3, 1), 1)
    c("flattened", "jnp.extract", m > 0, m)
    c("filled", "jnp.extract", m > 0, m, size=11, fill_value=-1)
    some = np.array([True, False, True])
    c("rows", "jnp.compress", some, m, axis=0)
    c("columns by a shorter one", "jnp.compress", some, m, axis=1)
    c("flattened", "jnp.compress", some, m)
    c("cut", "jnp.compress", some, m, axis=0, size=1)
    for name, k in [("one", 1), ("two", 2)]:
        conditions = [x < 0, x > 2][:k]
        call = lambda v, *_, n=conditions: jnp.piecewise(v, n, [3] * len(n))
        c.add(f"jnp.piecewise {name}", "jnp.piecewise", call, [x, conditions, [3] * k], {})


def products(c):
    a, b, d = floats(2, 5), floats(5, 3), floats(3, 4)
    c("of three", "linalg.multi_dot", [a, b, d])
    c("of four from the right", "linalg.multi_dot", [floats(6, 2), a, b, floats(3, 1)])
    c("between vectors", "linalg.multi_dot", [floats(5), b, floats(3)])
    c("of two", "linalg.multi_dot", [a, b])
    s = (np.eye(4) * 3 + floats(4, 4) / 8).astype(np.float32)
    for p in ["fro", 1, -1, np.inf, -np.inf]:
        if not isinstance(p, str) and np.isinf(p):
            continue
        c(f"{p}", "linalg.cond", s, p=p)
    c("of two matrices", "linalg.cond", np.stack([s, s.T]), p=1)
    c("ind 1", "linalg.tensorinv", s.reshape(4, 2, 2), ind=1)
    c("ind 2", "linalg.tensorinv", s.reshape(2, 2, 4))
    c("of a matrix", "linalg.tensorsolve", s.reshape(2, 2, 4), floats(2, 2))
    c("with axes", "linalg.tensorsolve", s.reshape(4, 2, 2), floats(2, 2), axes=(0,))
    x = floats(2, 3, 4)
    c("offset 1", "linalg.diagonal", x, offset=1)
    c("offset -1", "linalg.trace", x, offset=-1)
    c("of a matrix", "linalg.trace", ints(3, 3))
    c("of vectors", "linalg.outer", floats(3), floats(2))
    c("of a matrix", "linalg.matrix_transpose", x)


FAMILIES = [polynomials, assembling, placing, products]
