"""jax.scipy.stats, in the form of structural_cases: scipy in float64, as JAX loses digits in float32."""

import numpy as np
import scipy.stats as reference
from structural_cases import form

f = lambda *v: np.array(v, np.float32)  # noqa: E731
X = f(-2.5, -1, -0.25, 0.125, 0.75, 2, 4)
Q = f(0.0625, 0.25, 0.5, 0.875)
LOC, SCALE = f(0.5), f(2)
ABOVE = ["logpdf", "pdf", "cdf", "logcdf", "sf", "logsf"]
# name: shape parameters, functions of x, functions of shares, x
PLAIN = {
    "norm": ([], ABOVE, ["ppf", "isf"], X),
    "uniform": ([], ["logpdf", "pdf", "cdf"], ["ppf"], f(0.75, 1, 2, 2.25)),
    "expon": ([], ABOVE, ["ppf"], f(0.75, 1, 2, 5, 9)),
    "laplace": ([], ["logpdf", "pdf", "cdf"], [], X),
    "logistic": ([], ["logpdf", "pdf", "cdf", "sf"], ["ppf", "isf"], X),
    "cauchy": ([], ABOVE, ["ppf", "isf"], X),
    "gumbel_r": ([], ABOVE, ["ppf"], X),
    "gumbel_l": ([], ABOVE, ["ppf"], X),
    "pareto": ([f(1.5)], ABOVE, ["ppf"], f(2.75, 3, 4, 9)),
    "gamma": ([f(2.5)], ABOVE, [], f(0.75, 1, 2, 5, 9)),
    "chi2": ([f(3)], ABOVE, [], f(0.75, 1, 2, 5, 9)),
    "beta": ([f(1.5), f(2)], ABOVE, [], f(0.75, 1, 1.5, 2.25)),
    "t": ([f(3.5)], ["logpdf", "pdf"], [], X),
}
# What is above or below where the distribution is.
OUTSIDE = {"pareto": f(0, 1), "gamma": f(-1, 0.25), "chi2": f(-1, 0.25), "beta": f(0.25, 4)}


def slopes(run, args):
    """Cotangents by differences of fourth order; none where the value is no number."""
    y = run(*args)
    ct = np.where(np.isfinite(y), 1 + 0.5 * (np.arange(y.size) % 3), 0)
    for k, arg in enumerate(args):
        h = 1e-3 * np.maximum(1, np.abs(arg))
        at = lambda n, k=k, h=h: run(*args[:k], args[k] + n * h, *args[k + 1 :])
        slope = np.nan_to_num(ct * (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h))
        yield np.asarray(slope if arg.size > 1 else [slope.sum()], np.float32)


def call(c, name, function, label, args, grad):
    target = getattr(getattr(reference, name), function)
    wide = [np.asarray(a, np.float64) for a in args]
    path = f"stats.{name.replace('_r', 'R').replace('_l', 'L')}.{function}"
    out = {"fn": path, "args": [form(a) for a in args], "options": {}, "result": np.asarray(target(*wide), np.float32)}
    c.found[f"{path} {label}"] = out | ({"grads": list(slopes(target, wide))} if grad else {})


def continuous(c):
    for name, (shapes, functions, shares, x) in PLAIN.items():
        for function in functions:
            # There is no derivative of betainc by its shapes, in JAX neither.
            smooth = name != "beta" or function in ["logpdf", "pdf"]
            call(c, name, function, "moved and stretched", [x, *shapes, LOC, SCALE], smooth)
            call(c, name, function, "alone", [OUTSIDE.get(name, X), *shapes], False)
        for function in shares:
            call(c, name, function, "of shares", [Q, *shapes, LOC, SCALE], True)
            if name != "cauchy":
                call(c, name, function, "of no shares", [f(-0.5, 1.5, np.nan), *shapes], False)


K = np.array([-1, 0, 1, 2, 3, 5], np.int32)
DISCRETE = {
    "bernoulli": [f(0.375)],
    "poisson": [f(1.75)],
    "binom": [np.int32(3), f(0.375)],
    "geom": [f(0.375)],
    "nbinom": [np.int32(2), f(0.375)],
}


def discrete(c):
    for name, shapes in DISCRETE.items():
        for function in ["logpmf", "pmf"]:
            call(c, name, function, "of whole numbers", [K, *shapes], False)
            call(c, name, function, "moved", [K, *shapes, np.int32(1)], False)
    call(c, "bernoulli", "cdf", "of floats", [f(-1, 0, 0.5, 1, 3), f(0.375)], False)
    call(c, "bernoulli", "ppf", "of shares", [f(0.125, 0.25, 0.75, 1, -0.5), f(0.375)], False)
    call(c, "poisson", "cdf", "of floats", [f(-1, 0, 1.5, 4), f(1.75)], False)


def distributions(c):
    continuous(c)
    discrete(c)


FAMILIES = [distributions]
