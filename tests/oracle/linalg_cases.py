"""Eigenvalues, singular values, what is made of them, and jax.scipy.linalg, in the form of structural_cases. Vectors whose signs
are anyone's choice are held to their properties in the table's rows instead."""

import jax.numpy as jnp
import numpy as np
from structural_cases import floats


def spread(*shape):
    """Floats with 3, 6, 9 ... added on the diagonal: singular values that differ."""
    x = floats(*shape)
    k = min(shape[-2:])
    x[..., np.arange(k), np.arange(k)] += 3 * (1 + np.arange(k, dtype=np.float32))
    return x


def low_rank(m, n):
    return np.outer(np.arange(1, m + 1), np.arange(2, n + 2)).astype(np.float32) / 4


def decompositions(c):
    c("of [4, 4]", "linalg.eigvalsh", spread(4, 4))
    c("of [2, 3, 3]", "linalg.eigvalsh", spread(2, 3, 3))
    c("of the upper triangle", "linalg.eigvalsh", spread(3, 3), UPLO="U")
    for shape in [(3, 3), (5, 3), (2, 3, 4)]:
        c(f"of {list(shape)}", "linalg.svdvals", spread(*shape))
        c(f"of {list(shape)}", "linalg.pinv", spread(*shape))
        c(f"of {list(shape)}", "linalg.matrix_rank", spread(*shape))
    c("without vectors", "linalg.svd", spread(4, 3), compute_uv=False)
    c("of rank 1", "linalg.pinv", low_rank(4, 3))
    c("of rank 1", "linalg.matrix_rank", low_rank(4, 3))
    c("cut off at half", "linalg.pinv", spread(3, 3), rtol=0.5)
    c("with a cutoff each", "linalg.pinv", spread(2, 3, 3), rtol=np.array([0.5, 1e-3], np.float32), grad=False)
    s = spread(3, 3)
    c("of a symmetric matrix", "linalg.pinv", s + s.T, hermitian=True)
    c("of a symmetric matrix", "linalg.matrix_rank", s + s.T, hermitian=True)
    c("cut off at 7", "linalg.matrix_rank", s, tol=7.0)
    c("of a vector", "linalg.matrix_rank", floats(3))
    c("of a vector of zeros", "linalg.matrix_rank", np.zeros(3, np.float32))
    for p in [None, 2, -2, "nuc", "fro", 1, -1]:
        # Of order 2 the slopes that JAX computes in float32 are off by more than ours: tests/ops/conditioned.spec.ts has them.
        c(f"of order {p}", "linalg.cond", spread(2, 3, 3), p=p, grad=p not in [None, 2])
    c("of a rectangle", "linalg.cond", spread(4, 3))
    c("of a singular matrix", "linalg.cond", np.zeros((2, 2), np.float32), grad=False)
    for ord in [2, -2, "nuc"]:
        c(f"of order {ord}", "linalg.matrix_norm", spread(2, 3, 4), ord=ord)
        c(f"of order {ord} along axes", "linalg.norm", spread(3, 2, 4), ord=ord, axis=(2, 0), keepdims=True)
    for shape in [(5, 3), (3, 3), (2, 4)]:
        c(f"of {list(shape)}", "linalg.lstsq", spread(*shape), floats(shape[0], 2))
    c("of a vector", "linalg.lstsq", spread(4, 2), floats(4))
    c("of rank 1", "linalg.lstsq", low_rank(4, 3), floats(4, 2), grad=False)
    c("with rcond", "linalg.lstsq", spread(3, 3), floats(3), rcond=0.5, grad=False)


def scipylinalg(c):
    s = "scipyLinalg."
    c("of three", s + "block_diag", floats(2, 3), floats(2), floats(1, 1))
    c("of a column", s + "toeplitz", floats(4))
    c("of a column and a row", s + "toeplitz", floats(3), floats(5))
    c("of 4", s + "hilbert", 4)
    x = spread(3, 3)
    definite = (x @ x.T).astype(np.float32)
    c("upper", s + "cholesky", definite, grad=False)
    c("lower", s + "cholesky", definite, lower=True, grad=False)
    for trans in [0, "T"]:
        for lower in [False, True]:
            c(f"trans {trans}, lower {lower}", s + "solve_triangular", x, floats(3, 2), trans=trans, lower=lower)
    c("of a vector, unit diagonal", s + "solve_triangular", x, floats(3), unit_diagonal=True)
    c("in general", s + "solve", x, floats(3, 2))
    c("definite", s + "solve", definite, floats(3), assume_a="pos", grad=False)
    c("eigenvalues", s + "eigh", x, eigvals_only=True, grad=False)
    c("eigenvalues of the upper triangle", s + "eigh", x, eigvals_only=True, lower=False, grad=False)
    c("full", s + "qr", floats(4, 2), grad=False)
    c("economic", s + "qr", floats(4, 2), mode="economic")
    c("r alone", s + "qr", floats(4, 2), mode="r", grad=False)
    y = floats(4, 4)
    c("of [4, 4]", s + "lu", y)
    c("permuted", s + "lu", y, permute_l=True)
    c("right", s + "polar", x, grad=False)
    c("left", s + "polar", spread(2, 4), side="left", grad=False)
    # Of worse conditioned ones float32 keeps fewer digits than goldens ask for: see tests/ops/conditioned.spec.ts.
    for size in [0.125, 1, 4]:
        c(f"of size {size}", s + "expm", np.float32(size / 5) * floats(3, 3))
    c("of a batch", s + "expm", floats(2, 2, 2) / 4, grad=False)
    c("of zeros", s + "expm", np.zeros((2, 2), np.float32))
    c("without vectors", s + "svd", x, compute_uv=False)


FAMILIES = [decompositions, scipylinalg]
