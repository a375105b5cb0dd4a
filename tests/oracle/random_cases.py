"""Keys, bits and samplers of jax.random, called eagerly."""

import jax
import numpy as np
from jax import random

SEEDS = [0, 1, 42, 1701, -1, 2**31, 2**40 + 5]
SHAPES = [
    (), (0,), (1,), (2,), (3,), (4,), (5,), (7,), (8,), (17,), (33,), (100,), (257,), (1023,), (3, 0), (1, 1), (2, 3), (5, 7),
    (31, 33), (2, 3, 4), (1, 5, 1, 3), (784, 10), (127, 129), (65537,),
]  # fmt: skip


def data(key):
    return np.asarray(random.key_data(key))


def name(shape):
    return "x".join(map(str, shape)) if shape else "scalar"


def key_cases():
    out = {}
    for seed in SEEDS:
        key = random.key(seed)
        out[f"key {seed}"] = data(key)
        out[f"split {seed}"] = [data(random.split(key, n)) for n in (1, 2, 3, 5)]
        out[f"fold_in {seed}"] = [data(random.fold_in(key, np.uint32(d))) for d in (0, 1, 4, 1000003, 2**32 - 1)]
    return out


def shape_cases():
    key = random.key(42)
    out = {}
    for shape in SHAPES:
        tag = name(shape)
        out[f"bits32 {tag}"] = random.bits(key, shape)
        out[f"uniform {tag}"] = random.uniform(key, shape)
        out[f"normal {tag}"] = random.normal(key, shape)
    for seed in (0, 1701):
        for shape in ((), (5,), (7, 11), (4099,)):
            out[f"bits32 {seed} {name(shape)}"] = random.bits(random.key(seed), shape)
            out[f"bits16 {seed} {name(shape)}"] = random.bits(random.key(seed), shape, np.uint16)
            out[f"bits8 {seed} {name(shape)}"] = random.bits(random.key(seed), shape, np.uint8)
            out[f"normal {seed} {name(shape)}"] = random.normal(random.key(seed), shape)
    return out


def sampler_cases():
    key = random.key(42)
    out = {}
    for shape in ((), (7,), (33, 3), (20000,)):
        tag = name(shape)
        for low, high in ((-1.0, 1.0), (2.0, 5.5), (-0.3, 1.45), (-2.5e-3, 7e3), (1.0, 1.0), (3.0, 2.0)):
            out[f"uniform {low} {high} {tag}"] = random.uniform(key, shape, minval=low, maxval=high)
        for low, high in ((-2.0, 2.0), (0.0, 2.0), (-0.5, 3.0)):
            out[f"truncated_normal {low} {high} {tag}"] = random.truncated_normal(key, low, high, shape)
        for low, high in ((0, 10), (-5, 1000003), (0, 65536), (-(2**31), 2**31 - 1), (3, 3), (0, 7)):
            out[f"randint {low} {high} {tag}"] = random.randint(key, shape, low, high)
        for p in (0.0, 0.1, 0.3, 0.5, 1.0):
            out[f"bernoulli {p} {tag}"] = random.bernoulli(key, p, shape)
    for seed in (0, 42):
        for n in (0, 1, 2, 10, 1000, 1625, 1626, 60000):
            out[f"permutation {seed} {n}"] = random.permutation(random.key(seed), n)
    out["permutation rows"] = random.permutation(key, np.arange(35, dtype=np.int32).reshape(7, 5))
    for n in (1, 9, 300):
        out[f"exponential {n}"] = random.exponential(key, (n,))
        out[f"gumbel {n}"] = random.gumbel(key, (n,))
        out[f"categorical {n}"] = random.categorical(key, np.linspace(-1, 2, 5, dtype=np.float32), shape=(n,))
    return out


def initializer_cases():
    init = jax.nn.initializers
    key = random.key(42)
    out = {}
    for shape in ((2, 3), (64, 10), (784, 256), (3, 3, 8, 16)):
        for builder in "lecun_normal lecun_uniform glorot_normal glorot_uniform he_normal he_uniform".split():
            out[f"{builder} {name(shape)}"] = getattr(init, builder)()(key, shape)
    for shape in ((), (5,), (2, 3)):
        out[f"normal {name(shape)}"] = init.normal(0.02)(key, shape)
        out[f"uniform {name(shape)}"] = init.uniform(0.01)(key, shape)
        out[f"truncated_normal {name(shape)}"] = init.truncated_normal(0.01)(key, shape)
        out[f"zeros {name(shape)}"] = init.zeros(key, shape)
        out[f"ones {name(shape)}"] = init.ones(key, shape)
    return out
