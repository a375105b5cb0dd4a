"""Flax NNX attention: initial parameters, outputs, gradients, decoding step by step, masks.

Inputs come from seeds alone: inputs are normal(key(1), …), normal(key(4), …); gradients are those of sum(y * normal(key(2), …)).
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


def flat(state):
    return {".".join(map(str, path)): np.asarray(leaf[...]) for path, leaf in nnx.to_flat_state(state)}


def rngs():
    return nnx.Rngs(3)


def make(**options):
    bias = jax.nn.initializers.normal(1.0)
    return nnx.MultiHeadAttention(**({"decode": False, "bias_init": bias, "rngs": rngs()} | options))


def layers():
    causal = nnx.make_causal_mask(jnp.ones((2, 5)))
    return {
        "plain": (make(num_heads=2, in_features=6), None, {}),
        "causal": (make(num_heads=2, in_features=6, use_bias=False), None, {"is_causal": True}),
        "mask, sizes": (make(num_heads=3, in_features=6, qkv_features=12, out_features=4), None, {"mask": causal}),
        "cross, grouped": (make(num_heads=4, in_features=6, qkv_features=8, num_kv_heads=2, in_kv_features=3), 3, {}),
        "normalized": (make(num_heads=2, in_features=6, normalize_qk=True), None, {}),
        "dropout": (make(num_heads=2, in_features=6, dropout_rate=0.4, deterministic=False), None, {}),
        "dropout of each": (
            make(num_heads=2, in_features=6, dropout_rate=0.4, deterministic=False, broadcast_dropout=False),
            None,
            {"mask": causal},
        ),
        "dropout switched off": (make(num_heads=2, in_features=6, dropout_rate=0.4, deterministic=True), None, {}),
    }


def outcome(layer, kv_features, options):
    x = jax.random.normal(jax.random.key(1), (2, 5, 6))
    other = () if kv_features is None else (jax.random.normal(jax.random.key(4), (2, 7, kv_features)),)
    out = {"params": flat(nnx.state(layer, nnx.Param)), "y": layer(x, *other, **options)}
    ct = jax.random.normal(jax.random.key(2), out["y"].shape)
    grads, dx = nnx.grad(lambda m, x: jnp.sum(m(x, *other, **options) * ct), argnums=(0, 1))(layer, x)
    return out | {"grads": flat(grads), "dx": dx}


def decoded():
    layer = make(num_heads=4, in_features=6, qkv_features=8, num_kv_heads=2, decode=True)
    layer.init_cache((2, 4, 6))
    x = jax.random.normal(jax.random.key(1), (2, 4, 6))
    ys = [layer(x[:, i : i + 1]) for i in range(3)]
    return {"ys": ys, "cache": flat(nnx.state(layer, nnx.Cache))}


def cases():
    out = {name: outcome(*args) for name, args in layers().items()}
    return out | {"decoded": decoded()}
