"""Loss curves of five models of the real Flax: 200 jitted steps each, from the same seeds and data as tests/nnx/curves.spec.ts.

Learning rates are chosen so that the curves fall without becoming chaotic: a difference in the last bit of one step must
not grow, or nothing could be told from it.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

STEPS = 200


class Mlp(nnx.Module):
    def __init__(self, rngs):
        self.hidden = nnx.Linear(8, 16, rngs=rngs)
        self.norm = nnx.BatchNorm(16, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.out = nnx.Linear(16, 4, rngs=rngs)

    def __call__(self, x):
        return self.out(self.dropout(nnx.relu(self.norm(self.hidden(x)))))


class Cnn(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Conv(1, 4, (3, 3), rngs=rngs)
        self.second = nnx.Conv(4, 8, (3, 3), rngs=rngs)
        self.out = nnx.Linear(8, 3, rngs=rngs)

    def __call__(self, x):
        y = nnx.avg_pool(nnx.relu(self.first(x)), (2, 2), strides=(2, 2))
        y = nnx.relu(self.second(y))
        return self.out(jnp.mean(y, axis=(1, 2)))


class Transformer(nnx.Module):
    def __init__(self, rngs):
        self.embed = nnx.Embed(11, 16, rngs=rngs)
        self.position = nnx.Embed(8, 16, rngs=rngs)
        self.norm1 = nnx.LayerNorm(16, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(2, 16, decode=False, rngs=rngs)
        self.norm2 = nnx.LayerNorm(16, rngs=rngs)
        self.up = nnx.Linear(16, 32, rngs=rngs)
        self.down = nnx.Linear(32, 16, rngs=rngs)

    def __call__(self, tokens):
        x = self.embed(tokens) + self.position(jnp.arange(tokens.shape[1]))
        x = x + self.attention(self.norm1(x), mask=nnx.make_causal_mask(tokens))
        x = x + self.down(nnx.gelu(self.up(self.norm2(x))))
        return self.embed.attend(x)


class Lstm(nnx.Module):
    def __init__(self, rngs):
        self.rnn = nnx.RNN(nnx.LSTMCell(4, 8, rngs=rngs))
        self.out = nnx.Linear(8, 1, rngs=rngs)

    def __call__(self, x):
        return self.out(self.rnn(x)[:, -1])


class Block(nnx.Module):
    def __init__(self, rngs):
        self.linear = nnx.Linear(8, 8, rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x):
        return x + self.dropout(nnx.tanh(self.linear(x)))


class Stack(nnx.Module):
    def __init__(self, rngs):
        @nnx.split_rngs(splits=4)
        @nnx.vmap(in_axes=(0,))
        def make(rngs):
            return Block(rngs)

        self.blocks = make(rngs)
        self.out = nnx.Linear(8, 1, rngs=rngs)

    def __call__(self, x):
        @nnx.scan(in_axes=(0, nnx.Carry), out_axes=nnx.Carry)
        def forward(block, x):
            return block(x)

        return self.out(forward(self.blocks, x))


def cross_entropy(logits, labels):
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def squared(y, target):
    return jnp.mean((y - target) ** 2)


def curve(model, tx, loss, x, y):
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer, x, y):
        value, grads = nnx.value_and_grad(lambda m: loss(m(x), y))(model)
        optimizer.update(model, grads)
        return value

    return np.array([step(model, optimizer, jnp.asarray(x), jnp.asarray(y)) for _ in range(STEPS)], np.float32)


def cases():
    rng = np.random.default_rng(5)
    normal = lambda *shape: rng.normal(size=shape).astype(np.float32)
    labels = lambda count, *shape: rng.integers(0, count, shape).astype(np.int32)
    mlp = (normal(32, 8), labels(4, 32))
    cnn = (normal(8, 8, 8, 1), labels(3, 8))
    tokens = labels(11, 4, 9)
    lstm = (normal(8, 4, 4), normal(8, 1))
    stack = (normal(16, 8), normal(16, 1))
    runs = {
        "mlp": (Mlp(nnx.Rngs(0, dropout=1)), optax.adam(1e-2), cross_entropy, *mlp),
        "cnn": (Cnn(nnx.Rngs(2)), optax.sgd(0.02, momentum=0.9), cross_entropy, *cnn),
        "transformer": (
            Transformer(nnx.Rngs(3)),
            optax.adamw(3e-4),
            cross_entropy,
            np.ascontiguousarray(tokens[:, :-1]),
            np.ascontiguousarray(tokens[:, 1:]),
        ),
        "lstm": (Lstm(nnx.Rngs(4)), optax.adam(1e-3), squared, *lstm),
        "stack": (Stack(nnx.Rngs(5)), optax.adam(2e-3), squared, *stack),
    }
    return {name: {"x": run[3], "y": run[4], "losses": curve(*run)} for name, run in runs.items()}
