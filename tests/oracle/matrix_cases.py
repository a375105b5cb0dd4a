"""More of jax.lax.linalg and jax.scipy.linalg, in the form of structural_cases."""

import jax
import numpy as np
import scipy.linalg
from jax._src.lax import linalg
from linalg_cases import spread
from structural_cases import floats, form, ints

S, L = "scipyLinalg.", "laxLinalg."


def structured(c):
    v, w = floats(5), floats(2, 4)
    for name in ["circulant", "companion", "fiedler", "fiedler_companion"]:
        for x in [np.where(v == 0, 1, v).astype(np.float32), np.where(w == 0, 1, w).astype(np.float32)]:
            c(f"of {list(x.shape)}", S + name, x)
    c("of one coefficient", S + "fiedler_companion", floats(1) + 9)
    c("of two coefficients", S + "fiedler_companion", np.array([2, 3], np.float32))
    for mode in ["full", "valid", "same"]:
        for n in [2, 5, 7]:
            c(f"{mode} {n}", S + "convolution_matrix", v, n, mode=mode)
    c("of two", S + "convolution_matrix", w, 3)
    c("of a column", S + "hankel", v)
    c("of a column and a row", S + "hankel", floats(3), v)
    c("of stacks", S + "hankel", w, floats(2, 3))
    c("of whole numbers", S + "hankel", ints(3), ints(4))
    c("of one population", S + "leslie", floats(4), floats(3))
    c("of two populations", S + "leslie", floats(2, 3), floats(2, 2))
    for n in [1, 2, 8]:
        c(f"{n}", S + "hadamard", n)
    for n in [1, 2, 6]:
        c(f"{n}", S + "helmert", n)
        c(f"{n}, full", S + "helmert", n, full=True)
        whole(c, f"{n}", "invhilbert", scipy.linalg.invhilbert(n), n)
        for kind in ["symmetric", "lower", "upper"]:
            for name in ["pascal", "invpascal"]:
                whole(c, f"{n}, {kind}", name, getattr(scipy.linalg, name)(n, kind=kind), n, kind=kind)


def whole(c, label, name, result, n, **options):
    """Whole numbers, which JAX has from logarithms and rounds."""
    out = {"fn": S + name, "args": [form(n)], "options": {k: form(v) for k, v in options.items()}}
    c.found[f"{S}{name} {label}"] = out | {"result": np.asarray(result, np.float32)}


def geqrf(x):
    """What LAPACK leaves of a QR decomposition: r, reflectors below it, and their factors."""
    return tuple(np.array(y) for y in linalg.geqrf(x))


def factored(c):
    for shape in [(4, 4), (2, 3, 3), (1, 1)]:
        c(f"of {list(shape)}", L + "lu", floats(*shape) + np.eye(shape[-1], dtype=np.float32) / 3)
        c(f"of {list(shape)}", S + "lu_factor", floats(*shape) + np.eye(shape[-1], dtype=np.float32) / 3)
    big = floats(17, 17)
    c("of [17, 17]", L + "lu_pivots_to_permutation", np.asarray(jax.lax.linalg.lu(big)[1]), 17)
    c("of fewer pivots", L + "lu_pivots_to_permutation", np.array([[2, 3, 2], [0, 1, 4]], np.int32), 5)
    for shape in [(3,), (3, 2)]:
        for trans in [0, 1]:
            factors, pivots = (np.asarray(x) for x in jax.scipy.linalg.lu_factor(floats(3, 3) + np.eye(3, dtype=np.float32) * 2))
            b = floats(*shape)
            c.add(
                f"scipyLinalg.lu_solve of {list(shape)}, trans {trans}",
                "scipyLinalg.luSolve",
                lambda pair, y, k=trans: jax.scipy.linalg.lu_solve((pair[0], pair[1].astype(np.int32)), y, trans=k),
                [[factors, pivots], b],
                {"trans": trans},
            )
    for shape, k in [((4, 3), 3), ((2, 3, 3), 2), ((5, 2), 2)]:
        a, taus = geqrf(spread(*shape))
        taus = taus[..., :k]
        c(f"of {list(shape)}, {k} reflections", L + "householder_product", a, taus, grad=False)
        m = shape[-2]
        lead = shape[:-2]
        for left in [True, False]:
            for transpose in [True, False]:
                other = floats(*lead, m, 3) if left else floats(*lead, 3, m)
                c(f"of {list(shape)}, {k} reflections, {left}, {transpose}", L + "ormqr", a, taus, other, left=left, transpose=transpose, grad=False)
    r = np.triu(spread(4, 4)).astype(np.float32)
    c("of [4, 4]", L + "cholesky_update", r, floats(4), grad=False)
    x = floats(3, 2)
    c("of [3, 2]", L + "symmetric_product", x, floats(3, 3), symmetrize_output=True, grad=False)
    z = floats(3, 3)
    c("with alpha and beta", L + "symmetric_product", x, z + z.T, alpha=2.0, beta=-0.5, symmetrize_output=True, grad=False)
    for shape, k in [((6,), 2), ((2, 5), 1), ((1,), 1), ((17,), 3)]:
        d = floats(*shape) + 20
        dl, du = floats(*shape), floats(*shape)
        dl[..., 0] = 0
        du[..., -1] = 0
        c(f"of {list(shape)}", L + "tridiagonal_solve", dl, d, du, floats(*shape, k))
    for mode in ["left", "right"]:
        c(f"{mode}", S + "qr_multiply", spread(4, 3), floats(3, 2) if mode == "left" else floats(2, 4), mode=mode, grad=False)
        c(f"of a vector, {mode}", S + "qr_multiply", spread(4, 3), floats(3) if mode == "left" else floats(4), mode=mode, grad=False)
    c("of [3, 3]", S + "expm_frechet", floats(3, 3) / 4, floats(3, 3) / 4)
    c("alone", S + "expm_frechet", floats(2, 2) / 4, floats(2, 2) / 4, compute_expm=False)
    c("of 5", S + "eigh_tridiagonal", floats(5), floats(4) + 6, eigvals_only=True, grad=False)


FAMILIES = [structured, factored]
