"""Integrals of jax.scipy.special in the form of structural_cases: scipy in float64, as JAX loses digits in float32 and has no values
at some edges."""

import numpy as np
import scipy.special as sp
from scipy_cases import exact, f, spread

NAN, INF = np.nan, np.inf
EDGES = f(NAN, INF, -INF, 0, -1, 1e30, -1e30, 1e-30)


def both(c, label, path, reference, slopes, x):
    """A function with two results."""
    wide = x.astype(np.float64)
    results = [y.astype(np.float32) for y in reference(wide)]
    out = {"fn": path, "args": [x], "options": {}, "result": results}
    if slopes is not None:
        weights = (1 + 0.5 * (np.arange(2 * x.size) % 3)).reshape(2, -1)
        out["grads"] = [sum(w * s for w, s in zip(weights, slopes(wide))).astype(np.float32)]
    c.found[f"{path} {label}"] = out


def sici(x):
    """JAX's: of |x| for the cosine integral, but nothing at -inf."""
    return sp.sici(x)[0], np.where(x == -INF, NAN, sp.sici(np.abs(x))[1])


def exp1(x):
    return np.where(x < 0, NAN, sp.exp1(np.maximum(x, 0)))


def integrals(c):
    x = np.concatenate([spread(-6, 1.5, 30), np.linspace(0.2, 9, 30).astype(np.float32)])
    signed = np.concatenate([x, -x[::2]])
    exact(c, "of positive numbers", "special.exp1", sp.exp1, [lambda v: -np.exp(-v) / v], x)
    exact(c, "at the edges", "special.exp1", exp1, [None], EDGES)
    exact(c, "on both sides", "special.expi", lambda v: np.where(v < 0, -sp.exp1(np.abs(v)), sp.expi(v)), [lambda v: np.exp(v) / v], signed)
    exact(c, "near the root", "special.expi", sp.expi, [lambda v: np.exp(v) / v], f(0.3725, 0.37250742, 0.3726, 0.37, 0.38))
    exact(c, "at the edges", "special.expi", sp.expi, [None], EDGES)
    n = np.resize(np.array([0, 1, 2, 3, 7, 24, 25, 60], np.float32), x.size)
    slope = lambda m, v: -np.where(m == 0, np.exp(-v) * (1 + v) / v / v, sp.expn(np.maximum(m - 1, 0), v))
    late = (x > 1) | (n > 0)
    exact(c, "of positive numbers", "special.expn", sp.expn, [lambda m, v: 0 * v, slope], n[late], x[late])
    grid = [g.ravel() for g in np.meshgrid(f(0, 1, 2, 5, 40), f(0, INF, NAN, -1, 100))]
    exact(c, "at the edges", "special.expn", lambda m, v: np.where(v < 0, NAN, sp.expn(m, np.maximum(v, 0))), [None], *grid)
    slope = lambda v: np.where(v == 1, -1, np.log(v) / np.where(v == 1, 1, 1 - v))
    exact(c, "of positive numbers", "special.spence", sp.spence, [slope], np.append(x, f(1, 0.5, 2)))
    exact(c, "at the edges", "special.spence", lambda v: np.where(v == INF, -INF, sp.spence(v)), [None], EDGES)
    exact(c, "on both sides", "special.dawsn", sp.dawsn, [lambda v: 1 - 2 * v * sp.dawsn(v)], signed)
    exact(c, "at the edges", "special.dawsn", sp.dawsn, [None], EDGES)
    near = signed[signed > -4]
    exact(c, "on both sides", "special.erfcx", sp.erfcx, [lambda v: 2 * v * sp.erfcx(v) - 2 / np.sqrt(np.pi)], near[near < 3])
    exact(c, "far out", "special.erfcx", sp.erfcx, [None], f(20, 1e3, 1e10, -9, -9.3))
    exact(c, "at the edges", "special.erfcx", sp.erfcx, [None], EDGES)
    both(c, "on both sides", "special.sici", sici, lambda v: [np.sinc(v / np.pi), np.cos(v) / v], signed[np.abs(signed) > 1e-2])
    both(c, "at the edges", "special.sici", sici, None, EDGES)
    angle = lambda v: np.pi / 2 * v * v
    both(c, "on both sides", "special.fresnel", sp.fresnel, lambda v: [np.sin(angle(v)), np.cos(angle(v))], signed)
    both(c, "at the edges", "special.fresnel", sp.fresnel, None, EDGES)
    orders(c, x)


def orders(c, x):
    """Bessel functions of several orders, and Owen's T."""
    n = np.arange(5)[:, None]
    signed = np.concatenate([x, -x[::3], f(26, 40, 75, 200)])
    weights = (1 + 0.5 * (np.arange(5 * signed.size) % 3)).reshape(5, -1)
    slope = (weights * sp.jvp(n, signed.astype(np.float64))).sum(0).astype(np.float32)
    result = sp.jv(n, signed.astype(np.float64)).astype(np.float32)
    c.found["special.besselJn of both signs"] = {"fn": "special.besselJn", "args": [signed], "options": {"v": {"json": "4"}}, "result": result, "grads": [slope]}
    edges = f(0, -0.0, INF, -INF, NAN)
    limits = np.stack([f(1, 1, 0, 0, NAN), f(0, 0, 0, 0, NAN), f(0, 0, 0, 0, NAN)])
    c.found["special.besselJn at the edges"] = {"fn": "special.besselJn", "args": [edges], "options": {"v": {"json": "2"}}, "result": limits}
    h = np.linspace(-4, 4, 33).astype(np.float32)
    a = np.resize(f(0.25, -0.75, 1.5, 3, -8, 1, 0), h.size)
    by_h = lambda p, q: -np.exp(-p * p / 2) * sp.erf(p * q / np.sqrt(2)) / np.sqrt(8 * np.pi)
    by_a = lambda p, q: np.exp(-p * p * (1 + q * q) / 2) / (2 * np.pi * (1 + q * q))
    exact(c, "of both signs", "special.owensT", sp.owens_t, [by_h, by_a], h, a)
    grid = [g.ravel() for g in np.meshgrid(f(0, 2, -INF, NAN), f(0, INF, -INF, NAN, 1))]
    exact(c, "at the edges", "special.owensT", sp.owens_t, [None], *grid)


FAMILIES = [integrals]
