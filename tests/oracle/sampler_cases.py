"""Every sampler of jax.random, called eagerly: names are "sampler parameters | seed | shape"."""

import golden
import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from scipy.special import gammaincinv

SEEDS = [0, 1, 42, 1701, 4294967295]
SHAPES = [
    (), (0,), (1,), (2,), (3,), (4,), (5,), (7,), (8,), (17,), (33,), (100,), (3, 0), (1, 1), (2, 3), (5, 7), (31, 33),
    (2, 3, 4), (1, 5, 1, 3), (1023,), (4099,),
]  # fmt: skip
FEW_SHAPES = [(), (7,), (33, 3), (1000,)]
# What may be drawn of four things, each once.
SMALL_SHAPES = [(), (0,), (1,), (2,), (3,), (4,), (1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (3, 1), (1, 4), (4, 1), (3, 0),
    (1, 2, 2), (2, 1, 2), (2, 2, 1), (1, 1, 1), (1, 4, 1)]  # fmt: skip

F = np.float32
LOW = np.array([-3, 0, 100], np.int32)
HIGH = np.array([5, 1000003, 100], np.int32)

# What is the same bit for bit on every device: hashes and samples of many shapes and seeds.
EXACT = {
    "bits uint8": lambda k, s: random.bits(k, s, np.uint8),
    "bits uint16": lambda k, s: random.bits(k, s, np.uint16),
    "bits": lambda k, s: random.bits(k, s),
    "split": lambda k, s: random.key_data(random.split(k, s)),
    "uniform": lambda k, s: random.uniform(k, s),
    "uniform -1 1": lambda k, s: random.uniform(k, s, minval=-1, maxval=1),
    "uniform -0.3 1.45": lambda k, s: random.uniform(k, s, minval=-0.3, maxval=1.45),
    "uniform float16": lambda k, s: random.uniform(k, s, jnp.float16).astype(F),
    "uniform bfloat16": lambda k, s: random.uniform(k, s, jnp.bfloat16).astype(F),
    "randint 0 10": lambda k, s: random.randint(k, s, 0, 10),
    "randint -5 1000003": lambda k, s: random.randint(k, s, -5, 1000003),
    "randint int8": lambda k, s: random.randint(k, s, -128, 128, np.int8),
    "randint uint8": lambda k, s: random.randint(k, s, 0, 256, np.uint8),
    "randint int16": lambda k, s: random.randint(k, s, -40000, 40000, np.int16),
    "randint uint16": lambda k, s: random.randint(k, s, 5, 60000, np.uint16),
    "randint uint32": lambda k, s: random.randint(k, s, np.uint32(7), np.uint32(4294967295), np.uint32),
    "randint bounds": lambda k, s: random.randint(k, (*s, 3), LOW, HIGH),
    "randint full": lambda k, s: random.randint(k, s, -(2**31), np.uint32(2**31)),
    "bernoulli": lambda k, s: random.bernoulli(k, 0.5, s),
    "bernoulli 0.3": lambda k, s: random.bernoulli(k, 0.3, s),
    "bernoulli 0.3 high": lambda k, s: random.bernoulli(k, F(0.3), s, mode="high"),
    "rademacher int8": lambda k, s: random.rademacher(k, s, np.int8),
    "rademacher": lambda k, s: random.rademacher(k, s, np.int32),
    "exponential": lambda k, s: random.exponential(k, s),
    "laplace": lambda k, s: random.laplace(k, s),
    "logistic": lambda k, s: random.logistic(k, s),
    "gumbel": lambda k, s: random.gumbel(k, s),
    "gumbel high": lambda k, s: random.gumbel(k, s, mode="high"),
    "gumbel highest": lambda k, s: random.gumbel(k, s, mode="highest"),
    "rayleigh 2.5": lambda k, s: random.rayleigh(k, F(2.5), s),
    "geometric 0.3": lambda k, s: random.geometric(k, F(0.3), s),
    "geometric 0.001": lambda k, s: random.geometric(k, F(0.001), s),
    "geometric 0.3 uint16": lambda k, s: random.geometric(k, F(0.3), s, np.uint16),
}

# What is close: all values of fewer draws.
CLOSE = {
    "normal": lambda k, s: random.normal(k, s),
    "truncatedNormal -2 2": lambda k, s: random.truncated_normal(k, -2.0, 2.0, s),
    "truncatedNormal 0 2": lambda k, s: random.truncated_normal(k, 0.0, 2.0, s),
    "truncatedNormal -0.5 3": lambda k, s: random.truncated_normal(k, -0.5, 3.0, s),
    "truncatedNormal -inf 0.7": lambda k, s: random.truncated_normal(k, -np.inf, 0.7, s),
    "normal float16": lambda k, s: random.normal(k, s, jnp.float16).astype(F),
    "normal bfloat16": lambda k, s: random.normal(k, s, jnp.bfloat16).astype(F),
    "truncatedNormal -2 2 float16": lambda k, s: random.truncated_normal(k, -2.0, 2.0, s, jnp.float16).astype(F),
    "truncatedNormal -2 2 bfloat16": lambda k, s: random.truncated_normal(k, -2.0, 2.0, s, jnp.bfloat16).astype(F),
    "cauchy": lambda k, s: random.cauchy(k, s),
    "pareto 2": lambda k, s: random.pareto(k, F(2), s),
    "pareto 0.5": lambda k, s: random.pareto(k, F(0.5), s),
    "weibullMin 1 2": lambda k, s: random.weibull_min(k, 1, 2, s),
    "weibullMin 3 0.7": lambda k, s: random.weibull_min(k, F(3), F(0.7), s),
    "lognormal 1": lambda k, s: random.lognormal(k, F(1), s),
    "lognormal 0.25": lambda k, s: random.lognormal(k, F(0.25), s),
    "maxwell": lambda k, s: random.maxwell(k, s),
    "doubleSidedMaxwell 1 2": lambda k, s: random.double_sided_maxwell(k, 1.0, 2.0, s),
    "triangular 0 0.5 1": lambda k, s: random.triangular(k, F(0), F(0.5), F(1), s),
    "triangular -1 2 7": lambda k, s: random.triangular(k, F(-1), F(2), F(7), s),
    "wald 1": lambda k, s: random.wald(k, F(1), s),
    "wald 0.3": lambda k, s: random.wald(k, F(0.3), s),
}


ALPHA = np.array([1, 2, 3], F)
P = np.array([0.1, 0.2, 0.3, 0.4], F)
LOGITS = np.log(np.stack([P, P[::-1]]))
ROWS = np.arange(35, dtype=np.int32).reshape(7, 5)
COV = np.array([[2, 0.5, 0.1], [0.5, 1, -0.3], [0.1, -0.3, 0.7]], F)

# Rejection: an element whose trial is accepted on one device and refused on another differs altogether.
REJECTED = {
    "gamma 2.5": lambda k, s: random.gamma(k, F(2.5), s),
    "gamma 0.5": lambda k, s: random.gamma(k, F(0.5), s),
    "loggamma 0.5": lambda k, s: random.loggamma(k, F(0.5), s),
    "beta 2 3": lambda k, s: random.beta(k, F(2), F(3), s),
    "dirichlet 1 2 3": lambda k, s: random.dirichlet(k, ALPHA, s),
    "t 5": lambda k, s: random.t(k, F(5), s),
    "chisquare 4": lambda k, s: random.chisquare(k, F(4), s),
    "f 4 6": lambda k, s: random.f(k, F(4), F(6), s),
    "generalizedNormal 2": lambda k, s: random.generalized_normal(k, 2, s),
    "ball 3": lambda k, s: random.ball(k, 3, shape=s),
}

# Whole numbers, also by rejection: equal to JAX's.
COUNTS = {
    "poisson 3": lambda k, s: random.poisson(k, F(3), s),
    "poisson 3 int16": lambda k, s: random.poisson(k, F(3), s, np.int16),
    "poisson 50": lambda k, s: random.poisson(k, F(50), s),
    "binomial 10 0.3": lambda k, s: random.binomial(k, F(10), F(0.3), s),
    "binomial 100 0.4": lambda k, s: random.binomial(k, F(100), F(0.4), s),
    "binomial 1000 0.8": lambda k, s: random.binomial(k, F(1000), F(0.8), s),
    "multinomial 10": lambda k, s: random.multinomial(k, F(10), P, shape=(*s, 4)),
}


def numbers(s):
    return np.arange(np.prod(s), dtype=np.int32).reshape(s)


DISCRETE = {
    "permutation n": lambda k, s: random.permutation(k, int(np.prod(s))),
    "permutation rows": lambda k, s: random.permutation(k, numbers((*s, 5))),
    "permutation columns": lambda k, s: random.permutation(k, numbers((3, *s, 2)), axis=1),
    "permutation independent": lambda k, s: random.permutation(k, numbers((5, *s)), axis=0, independent=True),
    "choice 10": lambda k, s: random.choice(k, 10, s),
    "choice rows": lambda k, s: random.choice(k, ROWS, s, axis=1),
    "choice 5000 distinct": lambda k, s: random.choice(k, 5000, s, replace=False),
    "choice p": lambda k, s: random.choice(k, 4, s, p=P),
    "categorical": lambda k, s: random.categorical(k, LOGITS[0], shape=s),
    "categorical batch": lambda k, s: random.categorical(k, LOGITS, shape=(*s, 2)),
    "categorical axis 0": lambda k, s: random.categorical(k, LOGITS, axis=0, shape=(*s, 4)),
    "categorical high": lambda k, s: random.categorical(k, LOGITS[0], shape=s, mode="high"),
}

# The same with few things to draw from.
DISTINCT = {
    "choice p distinct": lambda k, s: random.choice(k, 4, s, p=P, replace=False),
    "categorical distinct": lambda k, s: random.categorical(k, LOGITS, shape=(*s, 2), replace=False),
}

VECTORS = {
    "multivariateNormal": lambda k, s: random.multivariate_normal(k, ALPHA, COV, s),
    "orthogonal 3": lambda k, s: random.orthogonal(k, 3, s[:1]),
    "orthogonal 2 4": lambda k, s: random.orthogonal(k, 2, s[:1], m=4),
    "orthogonal 5 2": lambda k, s: random.orthogonal(k, 5, s[:1], m=2),
}


def name(case, seed, shape):
    return f"{case} | {seed} | {'x'.join(map(str, shape)) if shape else 'scalar'}"


def hashed(table, shapes=SHAPES):
    """Every seed and shape: few values of each, and a hash of all."""
    return {
        name(case, seed, shape): golden.array(draw(random.key(seed), shape), limit=8, samples=4)
        for case, draw in table.items() for seed in SEEDS for shape in shapes
    }  # fmt: skip


def exact_cases():
    return {
        name(case, seed, shape): golden.array(draw(random.key(seed), shape), limit=1024 if seed == 42 and len(shape) == 1 else 8, samples=4)
        for case, draw in EXACT.items() for seed in SEEDS for shape in SHAPES
    }  # fmt: skip


def close_cases():
    return {
        name(case, seed, shape): draw(random.key(seed), shape)
        for case, draw in CLOSE.items() for seed in SEEDS[1:4] for shape in (FEW_SHAPES if seed == 42 else FEW_SHAPES[:3])
    }  # fmt: skip


def some(table, seeds, shapes):
    return {
        name(case, seed, shape): draw(random.key(seed), shape)
        for case, draw in table.items() for seed in seeds for shape in shapes
    }  # fmt: skip


def rejected_cases():
    return some(REJECTED, (42,), ((), (7,), (300,))) | some(REJECTED, (1, 1701), ((7,),))


def discrete_cases():
    return hashed(DISCRETE) | hashed(DISTINCT, SMALL_SHAPES) | hashed(COUNTS)


def vector_cases():
    return some(VECTORS, (42, 1), ((), (4,)))


def older_cases():
    """Every sampler as it was before jax_threefry_partitionable."""
    jax.config.update("jax_threefry_partitionable", False)
    try:
        tables = EXACT | CLOSE | REJECTED | DISCRETE | DISTINCT | COUNTS
        return some(tables, (42,), ((), (2, 2))) | some(REJECTED | COUNTS, (1701,), ((9,),))
    finally:
        jax.config.update("jax_threefry_partitionable", True)


# Draws as functions of one parameter, and where.
MOVED = {
    "gamma": (lambda k, a: random.gamma(k, a, (9,)), (0.05, 0.5, 1.0, 2.5, 30.0, 1000.0)),
    "loggamma": (lambda k, a: random.loggamma(k, a, (9,)), (0.001, 0.05, 0.5, 2.5, 30.0)),
    "beta a": (lambda k, a: random.beta(k, a, F(3), (9,)), (0.3, 2.0)),
    "beta b": (lambda k, b: random.beta(k, F(2), b, (9,)), (0.3, 3.0)),
    "dirichlet": (lambda k, a: random.dirichlet(k, a * ALPHA, (3,)), (0.5, 2.0)),
    "t": (lambda k, a: random.t(k, a, (9,)), (1.0, 5.0)),
    "chisquare": (lambda k, a: random.chisquare(k, a, (9,)), (1.0, 4.0)),
    "f dfnum": (lambda k, a: random.f(k, a, F(6), (9,)), (1.0, 4.0)),
    "f dfden": (lambda k, a: random.f(k, F(4), a, (9,)), (2.0, 6.0)),
    "generalizedNormal": (lambda k, p: random.generalized_normal(k, p, (9,)), (1.0, 2.5)),
    "ball": (lambda k, p: random.ball(k, 3, p, (3,)), (1.0, 2.5)),
    "poisson": (lambda k, a: random.poisson(k, a, (9,)).astype(F), (3.0, 30.0)),
    "binomial": (lambda k, p: random.binomial(k, F(10), p, (9,)), (0.3, 0.7)),
    "multinomial": (lambda k, a: random.multinomial(k, F(10), a * P), (1.0,)),
    "pareto": (lambda k, a: random.pareto(k, a, (9,)), (0.5, 2.0)),
    "rayleigh": (lambda k, a: random.rayleigh(k, a, (9,)), (2.5,)),
    "lognormal": (lambda k, a: random.lognormal(k, a, (9,)), (0.25, 1.0)),
    "weibullMin": (lambda k, a: random.weibull_min(k, F(3), a, (9,)), (0.7, 2.0)),
    "wald": (lambda k, a: random.wald(k, a, (9,)), (0.3, 1.0)),
    "triangular": (lambda k, a: random.triangular(k, F(0), a, F(2), (9,)), (0.5, 1.25)),
    "truncatedNormal": (lambda k, a: random.truncated_normal(k, F(-1), a, (9,)), (0.5, 1.25)),
    "uniform": (lambda k, a: random.uniform(k, (9,), minval=a, maxval=F(4)), (0.5, 1.25)),
}


def gradient_cases():
    """How draws move with a parameter, and lax.random_gamma_grad in float64."""
    out = {}
    for case, (draw, places) in MOVED.items():
        for at in places:
            slope = jax.jvp(lambda a: draw(random.key(42), a), (F(at),), (F(1),))[1]
            out[f"{case} | {at}"] = np.asarray(slope, F)
    shapes = np.repeat(np.logspace(-2, 4, 13, dtype=F), 9)
    shares = np.tile([1e-3, 1e-2, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999], 13)
    samples = np.maximum(gammaincinv(shapes.astype(float), shares), 1e-37).astype(F)
    with jax.enable_x64(True):
        wide = jax.lax.random_gamma_grad(shapes.astype(float), samples.astype(float))
        out["random_gamma_grad"] = {"a": shapes, "x": samples, "slope": np.asarray(wide)}
    return out
