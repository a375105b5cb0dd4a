"""Special functions of lax and jax.scipy.special, in the form of structural_cases; what JAX computes from differences of large
logarithms is held to scipy in float64 instead."""


import jax.scipy.special as js
import numpy as np
import scipy.special as sp
from jax import lax

RNG = np.random.default_rng(11)
NAN, INF = np.nan, np.inf


def f(*values):
    return np.array(values, np.float32)


def spread(low, high, n=40):
    """Numbers of every size between two powers of ten."""
    return (10 ** RNG.uniform(low, high, n)).astype(np.float32)


def exact(c, label, path, reference, slopes, *args):
    """Values and cotangents from float64; `slopes` hold None for what has no derivative."""
    wide = [a.astype(np.float64) for a in args]
    y = np.asarray(reference(*wide))
    ct = 1 + 0.5 * (np.arange(y.size) % 3)
    out = {"fn": path, "args": list(args), "options": {}, "result": y.astype(np.float32)}
    if all(s is not None for s in slopes):
        out["grads"] = [(ct * s(*wide)).astype(np.float32) for s in slopes]
    c.found[f"{path} {label}"] = out


def gamma_slope(a, x):
    return np.exp((a - 1) * np.log(x) - x - sp.gammaln(a))


def slope_of(reference, place):
    """The derivative by one argument, from a difference of fourth order."""

    def slope(*args):
        h = 1e-3 * np.abs(args[place])
        at = lambda k: reference(*args[:place], args[place] + k * h, *args[place + 1 :])
        return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)

    return slope


shape_slope = slope_of(sp.gammainc, 0)


def specials(c):
    a = spread(-1, 3)
    x = (a * np.exp(RNG.normal(0, 1, a.size) / np.sqrt(1 + a))).astype(np.float32)
    exact(c, "near the shape", "lax.igamma", sp.gammainc, [shape_slope, gamma_slope], a, x)
    exact(c, "near the shape", "lax.igammac", sp.gammaincc, [lambda *v: -shape_slope(*v), lambda *v: -gamma_slope(*v)], a, x)
    edge = [0, 0.5, 1, 2, INF, NAN, -1]
    grid = [g.ravel().astype(np.float32) for g in np.meshgrid(edge, edge)]
    # Where both are infinite JAX gives 1, scipy NaN; JAX gives NaN at (0, 1/2) and (inf, 1), where scipy's limit is right.
    endless = lambda reference, value: lambda p, v: np.where(np.isinf(p) & np.isinf(v), value, reference(p, v))
    exact(c, "at the edges", "lax.igamma", endless(sp.gammainc, 1), [None], *grid)
    exact(c, "at the edges", "lax.igammac", endless(sp.gammaincc, 0), [None], *grid)
    a, b = spread(-1, 2.5), spread(-1, 2.5)
    mean = a / (a + b)
    x = np.clip(mean + np.sqrt(mean * (1 - mean) / (a + b + 1)) * RNG.normal(0, 1, a.size), 1e-4, 0.9999).astype(np.float32)
    exact(c, "near the mean", "lax.betainc", sp.betainc, [None], a, b, x)
    grid = [g.ravel().astype(np.float32) for g in np.meshgrid([0, 0.5, 3, INF, NAN, -1], [0, 0.5, 3, INF], [0, 0.25, 1, NAN, -0.5, 1.5])]
    exact(c, "at the edges", "lax.betainc", lambda p, q, v: np.where((v < 0) | (v > 1), NAN, sp.betainc(p, q, v)), [None], *grid)
    x, q = 1.5 + spread(-1, 1), spread(-0.3, 2)
    exact(c, "of positive numbers", "special.zeta", sp.zeta, [slope_of(sp.zeta, 0), lambda s, p: -s * sp.zeta(s + 1, p)], x, q)
    grid = [g.ravel().astype(np.float32) for g in np.meshgrid([-1, 0.5, 1, 2, 2.5, 3, NAN], [0, -1, -0.5, -2.5, 1, 3])]
    c("at the edges", "lax.zeta", *grid, grad=False)
    n = np.array([0, 1, 2, 3, 5], np.int32)
    x = np.array([[0.7], [2.5], [9]], np.float32)
    c.add("special.polygamma of an array of orders", "special.polygamma", lambda m, y: js.polygamma(m, y), [n, x], {})
    p = RNG.uniform(0.01, 0.99, 30).astype(np.float32)
    exact(c, "of shares", "special.ndtri", sp.ndtri, [lambda v: np.sqrt(2 * np.pi) * np.exp(sp.ndtri(v) ** 2 / 2)], p)
    exact(c, "of small shares", "special.ndtri", sp.ndtri, [None], spread(-37, -2, 20))
    c("at the edges", "special.ndtri", f(0, 1, -0.5, 1.5, NAN, INF), grad=False)
    x = np.concatenate([RNG.uniform(-30, -10.1, 15), RNG.uniform(-3, 6, 15)]).astype(np.float32)
    slope = lambda v: np.exp(-v * v / 2 - np.log(2 * np.pi) / 2 - sp.log_ndtr(v))
    exact(c, "in both tails", "special.logNdtr", sp.log_ndtr, [slope], x)
    exact(c, "at the edges", "special.logNdtr", sp.log_ndtr, [None], f(INF, -INF, NAN, 0, -10, 1e30))
    some = f(0.5, 1.5, 2.5, 4, 7)
    c("of floats", "special.factorial", some)
    c("of ints", "special.factorial", np.array([0, 1, 5, 8, -1], np.int32))
    both = lambda reference: [slope_of(reference, 0), slope_of(reference, 1)]
    exact(c, "of floats", "special.comb", sp.binom, both(sp.binom), f(4, 9, 5.5, 3), f(2, 4, 1.5, 0.25))
    c("of what cannot be taken", "special.comb", f(3, -2, 6), f(5, 1, -1))
    c("of ints with repetition", "special.comb", np.array([4, 0, 3], np.int32), np.array([2, 0, 0], np.int32), repetition=True)
    exact(c, "of floats", "special.poch", sp.poch, both(sp.poch), some[:4], f(2, 1, 0.5, 0.25))
    c("of nothing", "special.poch", some, f(0, 0, 0, 0, 0), grad=False)
    c("of floats", "special.gammasgn", f(1.5, -0.5, -1.5, -2, 0, -0.0, INF, -INF, NAN), grad=False)
    c("of floats", "special.loggamma", f(3, 0.5, -0.5, 1.25))
    c.add("special.multigammaln 3", "special.multigammaln", lambda v, d: js.multigammaln(v, d), [some + 1, 3], {})
    for name in ["boxcox", "boxcox1p"]:
        c("of floats", f"special.{name}", some, f(0, 1, -0.5, 2, 0.1))
    c("12", "special.bernoulli", 12)
    for name in ["gammainc", "gammaincc"]:
        c("of ints", f"special.{name}", np.array([1, 2], np.int32), np.array([3, 0], np.int32))


FAMILIES = [specials]
