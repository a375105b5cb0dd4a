"""Flax NNX: parameters of seeded layers, and a training run to be followed step by step."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx


def layer_cases():
    out = {
        "Linear 784 256 Rngs(0) kernel": nnx.Linear(784, 256, rngs=nnx.Rngs(0)).kernel[...],
        "Linear 4 2 Rngs(42) kernel": nnx.Linear(4, 2, rngs=nnx.Rngs(42)).kernel[...],
        "Linear 4 2 Rngs(42) bias": nnx.Linear(4, 2, rngs=nnx.Rngs(42)).bias[...],
        "Embed 5 3 Rngs(0)": nnx.Embed(5, 3, rngs=nnx.Rngs(0)).embedding[...],
        "Conv 1 8 3x3 Rngs(0) kernel": nnx.Conv(1, 8, (3, 3), rngs=nnx.Rngs(0)).kernel[...],
        "Rngs(0) draws": np.stack([jax.random.key_data(r()) for r in [nnx.Rngs(0)] for _ in range(4)]),
        "Rngs(0, params=1) params draws": [np.asarray(jax.random.key_data(k)) for k in named_draws()],
    }
    return out | dropout_cases() | step_cases()


def named_draws():
    rngs = nnx.Rngs(0, params=1)
    return [rngs.params(), rngs.params(), rngs.dropout(), rngs.noise(), rngs.params()]


def dropout_cases():
    rngs = nnx.Rngs(0)
    linear, dropout = nnx.Linear(3, 4, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)
    x = jnp.ones((1, 3))
    evaluated = linear(x)
    trained = [dropout(linear(x)) for _ in range(4)]
    big = nnx.Dropout(0.3, rngs=nnx.Rngs(dropout=9))
    masks = [big(jnp.ones((37, 5))) for _ in range(3)]
    return {"Dropout 0.5 eval": evaluated, "Dropout 0.5 train": trained, "Dropout 0.3 of ones": masks}


class Two(nnx.Module):
    def __init__(self, rngs):
        self.a = nnx.Linear(2, 3, rngs=rngs)
        self.b = nnx.Linear(3, 4, rngs=rngs)

    def __call__(self, x):
        return self.b(self.a(x))


def step_cases():
    out = {}
    cases = [
        ("Two adam", Two(nnx.Rngs(0)), optax.adam(1e-3), jax.random.normal(jax.random.key(0), (1, 2)), jnp.ones((1, 4))),
        ("Linear adamw", nnx.Linear(2, 3, rngs=nnx.Rngs(0)), optax.adamw(1e-3), jnp.ones((10, 2)), jnp.ones((10, 3))),
    ]
    for name, model, transform, x, y in cases:
        optimizer = nnx.Optimizer(model, transform, wrt=nnx.Param)

        def loss_fn(m):
            return jnp.mean((m(x) - y) ** 2)

        before, grads = nnx.value_and_grad(loss_fn)(model)
        optimizer.update(model, grads)
        out[name] = [before, loss_fn(model)]
    return out


class Mlp(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(20, 32, rngs=rngs)
        self.dropout = nnx.Dropout(0.25, rngs=rngs)
        self.second = nnx.Linear(32, 16, rngs=rngs)
        self.third = nnx.Linear(16, 5, rngs=rngs)

    def __call__(self, x):
        x = self.dropout(jax.nn.relu(self.first(x)))
        return self.third(jax.nn.gelu(self.second(x)))


def flat_state(module):
    """Path -> array for every Param, paths joined with dots."""
    state = nnx.to_flat_state(nnx.state(module, nnx.Param))
    return {".".join(map(str, path)): np.asarray(leaf[...]) for path, leaf in state}


def training_cases():
    """Adam on an MLP with dropout. Inputs come from seeds alone: x = normal(fold_in(key(100), step)), labels
    = randint(fold_in(key(200), step), 0, 5). Every value is eager: no jit around the step."""
    model = Mlp(nnx.Rngs(7))
    optimizer = nnx.Optimizer(model, optax.adam(3e-3), wrt=nnx.Param)
    out = {"initial": flat_state(model)}
    losses, norms = [], []
    for step in range(20):
        x = jax.random.normal(jax.random.fold_in(jax.random.key(100), step), (16, 20))
        labels = jax.random.randint(jax.random.fold_in(jax.random.key(200), step), (16,), 0, 5)

        def loss_fn(m):
            return optax.softmax_cross_entropy_with_integer_labels(m(x), labels).mean()

        loss, grads = nnx.value_and_grad(loss_fn)(model)
        if step == 0:
            out["first x"], out["first labels"] = x, labels
            flat = {".".join(map(str, p)): np.asarray(v[...]) for p, v in nnx.to_flat_state(grads)}
            out["first gradients"] = flat
        optimizer.update(model, grads)
        losses.append(np.float32(loss))
        norms.append(np.float32(optax.tree.norm(nnx.state(model, nnx.Param))))
    model.eval()
    x = jax.random.normal(jax.random.key(300), (8, 20))
    return out | {
        "losses": np.array(losses),
        "parameter norms": np.array(norms),
        "final": flat_state(model),
        "evaluated": model(x),
    }
