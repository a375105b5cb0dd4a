"""Flax NNX layers: initial parameters, outputs and gradients of the mean of the squared output."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


def x(*shape, seed=11):
    return np.asarray(jax.random.normal(jax.random.key(seed), shape))


def flat(state):
    return {".".join(map(str, path)): np.asarray(leaf[...]) for path, leaf in nnx.to_flat_state(state)}


def case(layer, *args, **kwargs):
    """Parameters before, output and gradients of one call, and all Variables after it that are no random state."""
    before = flat(nnx.state(layer, nnx.Param))

    def loss(m):
        y = m(*args, **kwargs)
        leaves = jax.tree.leaves(y)
        return sum(jnp.mean(leaf**2) for leaf in leaves), y

    (value, y), grads = nnx.value_and_grad(loss, has_aux=True)(layer)
    outputs = [np.asarray(leaf) for leaf in jax.tree.leaves(y)]
    return {"params": before, "input": args[0], "outputs": outputs, "loss": np.float32(value), "grads": flat(grads)}


def layer_cases():
    rngs = lambda: nnx.Rngs(5)  # noqa: E731
    sequence, lengths = x(3, 6, 4), jnp.array([6, 2, 4])
    out = {
        "LinearGeneral": case(nnx.LinearGeneral((3, 4), (2, 5), axis=(1, -1), rngs=rngs()), x(2, 3, 6, 4)),
        "LinearGeneral batch": case(
            nnx.LinearGeneral(4, (2, 3), axis=-1, batch_axis={0: 2}, rngs=rngs()), x(2, 5, 4)
        ),
        "Einsum": case(nnx.Einsum("nta,hab->nthb", (2, 3, 4), (2, 4), rngs=rngs()), x(5, 6, 3)),
        "Einsum ellipsis": case(nnx.Einsum("...a,ab->...b", (3, 4), rngs=rngs()), x(2, 6, 3)),
        "Embed": case(nnx.Embed(7, 3, rngs=rngs()), np.array([[0, 6, 2], [-1, 2, 2]], np.int32)),
        "LoRA": case(nnx.LoRA(3, 2, 4, base_module=nnx.Linear(3, 4, rngs=rngs()), rngs=rngs()), x(5, 3)),
        "LoRALinear": case(
            nnx.LoRALinear(3, 4, lora_rank=2, b_initializer=nnx.initializers.ones, rngs=rngs()), x(5, 3)
        ),
        "PReLU": case(nnx.PReLU(), x(5, 3)),
        "Sequential": case(
            nnx.Sequential(nnx.Linear(3, 4, rngs=rngs()), nnx.relu, nnx.Linear(4, 2, rngs=rngs())), x(5, 3)
        ),
        "WeightNorm": case(nnx.WeightNorm(nnx.Linear(3, 4, rngs=rngs()), rngs=nnx.Rngs(6)), x(5, 3)),
        "WeightNorm whole": case(
            nnx.WeightNorm(nnx.Linear(3, 4, rngs=rngs()), feature_axes=None, use_scale=False, rngs=nnx.Rngs(6)), x(5, 3)
        ),
        "SpectralNorm": case(nnx.SpectralNorm(nnx.Linear(3, 4, rngs=rngs()), n_steps=3, rngs=nnx.Rngs(6)), x(5, 3)),
        "RNN LSTMCell": case(nnx.RNN(nnx.LSTMCell(4, 3, rngs=rngs())), sequence, return_carry=True),
        "RNN OptimizedLSTMCell": case(nnx.RNN(nnx.OptimizedLSTMCell(4, 3, rngs=rngs())), sequence),
        "RNN GRUCell": case(nnx.RNN(nnx.GRUCell(4, 3, rngs=rngs())), sequence, reverse=True, keep_order=True),
        "RNN SimpleCell": case(nnx.RNN(nnx.SimpleCell(4, 3, residual=True, rngs=rngs()), time_major=True), sequence),
        "RNN lengths": case(
            nnx.RNN(nnx.GRUCell(4, 3, rngs=rngs())), sequence, seq_lengths=lengths, return_carry=True, reverse=True
        ),
        "RNN long": case(nnx.RNN(nnx.LSTMCell(4, 3, rngs=rngs())), x(2, 20, 4), return_carry=True),
        "RNN long lengths": case(
            nnx.RNN(nnx.GRUCell(4, 3, rngs=rngs())),
            x(3, 18, 4),
            seq_lengths=jnp.array([18, 2, 17]),
            return_carry=True,
            reverse=True,
            keep_order=True,
        ),
        "Bidirectional": case(
            nnx.Bidirectional(nnx.RNN(nnx.GRUCell(4, 3, rngs=rngs())), nnx.RNN(nnx.LSTMCell(4, 2, rngs=nnx.Rngs(8)))),
            sequence,
            seq_lengths=lengths,
        ),
    }
    init = nnx.initializers
    key = jax.random.key(42)
    out["orthogonal"] = {
        "5x3": init.orthogonal()(key, (5, 3)),
        "3x5": init.orthogonal(2.0)(key, (3, 5)),
        "2x3x4 axis 0": init.orthogonal(column_axis=0)(key, (2, 3, 4)),
        "16x64": init.orthogonal()(key, (16, 64)),
        "delta 3x3x2x4": init.delta_orthogonal()(key, (3, 3, 2, 4)),
        "delta 4x2x3": init.delta_orthogonal()(key, (4, 2, 3)),
    }
    return out
