"""What came later to jax.scipy.stats, in the form of structural_cases: distributions by scipy in float64, functions of samples by JAX."""

import jax.scipy.stats as js
import numpy as np
import scipy.stats as reference
from stats_cases import ABOVE, K, call, f, form

NAN, INF = np.nan, np.inf
ANGLES = f(0.125, 1, 2.5, 4, 6)


def forms(options):
    return {key: form(value) for key, value in options.items()}


def put(c, path, label, target, args, grad=True, options=None, space="stats"):
    """A function by scipy, or whatever `target` is, in float64."""
    wide = [np.asarray(a, np.float64) for a in args]
    result = np.asarray(target(*wide), np.float32)
    out = {"fn": f"{space}.{path}", "args": [form(a) for a in args], "options": forms(options or {}), "result": result}
    if grad:
        out["grads"] = [g for g, a in zip(every_slope(target, wide), args) if np.asarray(a).dtype == np.float32]
    c.found[f"{space}.{path} {label}"] = out


def every_slope(run, args):
    """As stats_cases.slopes, element by element, for arguments of every shape."""
    y = np.asarray(run(*args))
    ct = np.where(np.isfinite(y), (1 + 0.5 * (np.arange(y.size) % 3)).reshape(y.shape), 0)
    for k, arg in enumerate(args):
        slope = np.zeros(arg.size)
        for i in range(arg.size):
            h = 1e-3 * max(1, abs(arg.flat[i]))
            step = np.zeros(arg.size)
            step[i] = h
            at = lambda n: run(*args[:k], arg + n * step.reshape(arg.shape), *args[k + 1 :])  # noqa: B023
            slope[i] = np.sum(np.nan_to_num(ct * (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)))
        yield slope.reshape(arg.shape).astype(np.float32)


def bounded(c):
    x = f(-2, -0.5, 0.125, 0.75, 3)
    for name, shapes, functions, at in [
        ("gennorm", [f(1.5)], ["logpdf", "pdf", "cdf"], x),
        ("wrapcauchy", [f(0.375)], ["logpdf", "pdf"], ANGLES),
        ("vonmises", [f(1.75)], ["logpdf", "pdf"], f(-3, -1, 0.5, 2, 3)),
    ]:
        for function in functions:
            put(c, f"{name}.{function}", "of one shape", getattr(getattr(reference, name), function), [at, *shapes])
    put(c, "wrapcauchy.logpdf", "outside", lambda v, s: np.where((s > 0) & (s < 1), -INF, NAN), [f(-1, 7, 1), f(0.5, 0.5, 1.5)], False)
    put(c, "vonmises.logpdf", "of no shape", lambda v, s: v * NAN, [f(1, 1), f(0, -1)], False)
    cut = [(-1, 1.5), (-INF, 0.5), (0.25, INF), (1, 3), (-4, -1)]
    for function in ABOVE:
        target = getattr(reference.truncnorm, function)
        for a, b in cut:
            low, high = max(a, -4), min(b, 4)
            at = f(*[low + (high - low) * p for p in (0.125, 0.5, 0.875)])
            put(c, f"truncnorm.{function}", f"from {a} to {b}", lambda v, p, q: target(v, p, q), [at, f(a), f(b)], np.isfinite(a + b))
        put(c, f"truncnorm.{function}", "moved and outside", target, [f(-2, 0, 1.5, 9), f(-1), f(2), f(0.5), f(2)], False)


def whole(c):
    for function in ["logpmf", "pmf"]:
        call(c, "betabinom", function, "of whole numbers", [K, np.int32(4), f(1.5), f(0.75)], False)
        call(c, "betabinom", function, "moved", [K, np.int32(4), f(1.5), f(0.75), np.int32(1)], False)
    put(c, "poisson.entropy", "of every size", lambda m: reference.poisson.entropy(m), [f(0.125, 0.5, 3, 9.5, 15, 19, 25, 60, 150, 1000)])
    put(c, "poisson.entropy", "at the edges", lambda m: np.array([0, NAN, NAN]), [f(0, -1, NAN)], False)


def vectors(c):
    alpha = f(1.5, 2, 0.75)
    x = np.array([[0.25, 0.5, 0.125], [0.25, 0.375, 0.625], [0.5, 0.125, 0.25]], np.float32)
    density = lambda v, a: np.stack([reference.dirichlet.logpdf(v[:, k] / v[:, k].sum(), a) for k in range(v.shape[1])])
    for function, of in [("logpdf", lambda y: y), ("pdf", np.exp)]:
        put(c, f"dirichlet.{function}", "of three shares", lambda v, a: of(density(v, a)), [x, alpha], False)
        put(c, f"dirichlet.{function}", "without the last", lambda v, a: of(reference.dirichlet.logpdf(v, a)), [f(0.25, 0.375), alpha], False)
        put(c, f"dirichlet.{function}", "of no shares", lambda v, a: of(np.array(-INF)), [f(0.5, 0.25, 0.5), alpha], False)
        counts = np.array([[1, 2, 0], [0, 0, 3], [1, 1, 2]], np.int32)
        p = f(0.25, 0.5, 0.25)
        target = getattr(reference.multinomial, "logpmf" if function == "logpdf" else "pmf")
        put(c, f"multinomial.{'logpmf' if function == 'logpdf' else 'pmf'}", "of counts", target, [counts, np.int32(3), p], False)
        normal = lambda v, m, s: of(sum_normal(v, m, s))
        cov = np.array([[2, 0.5, 0.25], [0.5, 1, 0.125], [0.25, 0.125, 1.5]], np.float32)
        points = np.array([[1, 2, -1], [0.5, 0, 0.25]], np.float32)
        path = f"multivariateNormal.{function}"
        put(c, path, "of numbers", normal, [f(1, -2), np.float32(0.5), np.float32(2)], False)
        put(c, path, "of one variance", normal, [points, f(0.5, 0, -1), np.float32(2)], False)
        put(c, path, "of vectors", normal, [points, f(0.5, 0, -1), cov], False)
        put(c, path, "of several", normal, [points, f(0.5, 0, -1), np.stack([cov, cov + np.eye(3, dtype=np.float32)])], False)
    c.add("stats.multivariateNormal.logpdf by all", "stats.multivariateNormal.logpdf", js.multivariate_normal.logpdf, [points, f(0.5, 0, -1), cov], {})
    c.add("stats.multivariateNormal.logpdf by several", "stats.multivariateNormal.logpdf", js.multivariate_normal.logpdf, [points, f(0.5, 0, -1), np.stack([cov, cov])], {})
    c.add("stats.dirichlet.logpdf by all", "stats.dirichlet.logpdf", js.dirichlet.logpdf, [f(0.25, 0.25), alpha], {})


def sum_normal(x, mean, cov):
    if np.ndim(mean) == 0:
        return reference.norm.logpdf(x, mean, np.sqrt(cov))
    n = mean.shape[-1]
    cov = cov * np.eye(n) if np.ndim(cov) == 0 else cov
    covs = np.broadcast_to(cov, (*x.shape[:-1], n, n))
    return np.array([reference.multivariate_normal.logpdf(v, mean, s) for v, s in zip(x, covs)])


def samples(c):
    table = np.array([[1, 2, 1, 3, 2, 1], [3, 1, 3, 2, 1, 3], [1, 2, 2, 3, 1, 2]], np.int32)
    floats = np.array([[0.5, 2, NAN, 2], [NAN, NAN, 1, 1], [0, -0.0, 3, 1]], np.float32)
    for label, a in [("ints", table), ("floats", floats)]:
        for axis in [0, 1]:
            for keep in [False, True]:
                found = js.mode(a, axis=axis, keepdims=keep)
                options = {"axis": axis, "keepdims": keep}
                c.found[f"stats.mode of {label} along {axis}, {keep}"] = {"fn": "stats.mode", "args": [form(a)], "options": forms(options), "result": [np.asarray(found.mode), np.asarray(found.count)]}
        for method in ["average", "min", "max", "dense", "ordinal"]:
            for axis in [None, 0, 1]:
                # With an axis JAX fails for some shapes; each line by itself is what it says it gives.
                lines = lambda v: np.asarray(js.rankdata(v, method))
                result = lines(a) if axis is None else np.apply_along_axis(lines, axis, a)
                options = {"method": method} | ({} if axis is None else {"axis": axis})
                c.found[f"stats.rankdata of {label}, {method} along {axis}"] = {"fn": "stats.rankdata", "args": [form(a)], "options": forms(options), "result": result}
    x = np.array([[1, 2, 4, 0.5], [3, NAN, 1, 2], [0, 1, 5, 2]], np.float32)
    for name, kw, options in [
        ("along 0", {}, {}),
        ("along 1", {"axis": 1, "ddof": 0, "keepdims": True}, {"axis": 1, "ddof": 0, "keepdims": True}),
        ("of what is there", {"axis": 1, "nan_policy": "omit"}, {"axis": 1, "nanPolicy": "omit"}),
    ]:
        c.found[f"stats.sem {name}"] = {"fn": "stats.sem", "args": [form(x)], "options": forms(options), "result": np.asarray(js.sem(x, **kw))}
    whole_numbers = np.array([[1, 2], [4, 7]], np.int32)
    c.found["stats.sem of ints"] = {"fn": "stats.sem", "args": [form(whole_numbers)], "options": {}, "result": np.asarray(js.sem(whole_numbers))}


def densities(c):
    """Of scipy in float64."""
    x = np.array([[-1, 0.5, 2, 0.25, 1.5], [0.5, -0.75, 1, 2, 0]], np.float32)
    other = np.array([[0, 1, 0.5], [1, -1, 0.25]], np.float32)
    points = np.array([[0, 1, 3], [0.5, 1, -2]], np.float32)
    weights = f(1, 2, 0.5, 1, 1)
    made = reference.gaussian_kde(x, weights=weights, bw_method=0.5)
    fields = [np.float32(made.neff), x, made.weights.astype(np.float32), made.covariance.astype(np.float32), made.inv_cov.astype(np.float32)]
    options = {"bwMethod": {"json": "0.5"}, "weights": weights}
    # Its fields in the order in which they are made.
    c.found["stats.gaussianKde"] = {"fn": "stats.gaussianKde", "args": [x], "options": options, "result": fields}
    kde = reference.gaussian_kde
    for label, data, at in [("of two dimensions", x, points), ("of one", x[0], points[0])]:
        put(c, "pdf", label, lambda v, p: kde(v).pdf(p), [data, at], space="kde")
        put(c, "logpdf", label, lambda v, p: kde(v, "silverman").logpdf(p), [data, at], space="kde")
    put(c, "integrateBox1d", "of one", lambda v, a, b: np.asarray(kde(v).integrate_box_1d(a, b)), [x[0], np.float32(-1), np.float32(1.5)], False, space="kde")
    cov = np.array([[1, 0.25], [0.25, 2]], np.float32)
    put(c, "integrateGaussian", "of two", lambda v, m, s: np.asarray(kde(v).integrate_gaussian(m, s)), [x, f(0.5, 1), cov], False, space="kde")
    put(c, "integrateKde", "of two", lambda v, w: np.asarray(kde(v).integrate_kde(kde(w))), [x, other], False, space="kde")


def laterstats(c):
    densities(c)
    bounded(c)
    whole(c)
    vectors(c)
    samples(c)


FAMILIES = [laterstats]
