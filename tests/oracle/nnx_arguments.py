"""Flax NNX layers under special arguments: 16-bit dtypes, named axes, and where products add up."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from nnx_layers import case, x

BF16 = jnp.bfloat16


def floats(value):
    return np.asarray(jnp.asarray(value, jnp.float32))


def plain(layer, value, *statistics):
    """Output, its dtype, and what a call leaves in Variables."""
    y = layer(value)
    after = {name: floats(getattr(layer, name)[...]) for name in statistics}
    return {"input": floats(value), "output": floats(y), "dtype": str(y.dtype), "after": after}


def cases():
    rngs = lambda: nnx.Rngs(5)  # noqa: E731
    half = dict(dtype=BF16, rngs=rngs())
    big = x(4, 6) * 3 + 5
    images = x(2, 4, 3, 6) + 2
    both = dict(param_dtype=BF16, rngs=rngs())
    return {
        "Linear": case(nnx.Linear(3, 4, bias_init=nnx.initializers.normal(1.0), rngs=rngs()), x(5, 3)),
        "Linear bfloat16": plain(nnx.Linear(6, 4, dtype=BF16, rngs=rngs()), big),
        "Linear preferred": plain(nnx.Linear(6, 4, dtype=BF16, preferred_element_type=jnp.float32, rngs=rngs()), big),
        "LinearGeneral preferred": plain(
            nnx.LinearGeneral(6, (2, 2), dtype=BF16, preferred_element_type=jnp.float32, rngs=rngs()), big
        ),
        "Einsum preferred": plain(
            nnx.Einsum("ab,bc->ac", (6, 4), dtype=BF16, preferred_element_type=jnp.float32, rngs=rngs()), big
        ),
        "Conv preferred": plain(
            nnx.Conv(6, 4, (2, 2), dtype=BF16, preferred_element_type=jnp.float32, rngs=rngs()), images
        ),
        "ConvTranspose preferred": plain(
            nnx.ConvTranspose(6, 4, (2, 2), dtype=BF16, preferred_element_type=jnp.float32, rngs=rngs()), images
        ),
        "PReLU bfloat16": plain(nnx.PReLU(), jnp.asarray(x(5, 3), BF16)),
        "LayerNorm bfloat16": plain(nnx.LayerNorm(6, **half), big),
        "LayerNorm bfloat16 input": plain(nnx.LayerNorm(6, **both), jnp.asarray(big, BF16)),
        "LayerNorm float32 parameters": plain(nnx.LayerNorm(6, rngs=rngs()), jnp.asarray(big, BF16)),
        "RMSNorm bfloat16": plain(nnx.RMSNorm(6, **half), big),
        "GroupNorm bfloat16": plain(nnx.GroupNorm(6, num_groups=2, **half), images),
        "InstanceNorm bfloat16": plain(nnx.InstanceNorm(6, **half), images),
        "BatchNorm bfloat16": plain(nnx.BatchNorm(6, **half), big, "mean", "var"),
        "BatchNorm bfloat16 evaluated": plain(nnx.BatchNorm(6, use_running_average=True, **half), big),
        "BatchNorm axis": axis(lambda: nnx.BatchNorm(6, axis_name="d", rngs=rngs())),
        "BatchNorm axis, exact": axis(lambda: nnx.BatchNorm(6, axis_name="d", use_fast_variance=False, rngs=rngs())),
        "LayerNorm axis": axis(lambda: nnx.LayerNorm(6, axis_name="d", rngs=rngs())),
        "RMSNorm axis": axis(lambda: nnx.RMSNorm(6, axis_name="d", rngs=rngs())),
    }


def axis(make):
    """Four examples of a named axis that share their statistics, and the gradient of the sum of cubes."""
    value = x(4, 3, 6)
    f = jax.vmap(lambda one: make()(one), axis_name="d")
    return {"input": value, "output": f(value), "grad": jax.grad(lambda v: jnp.sum(f(v) ** 3))(value)}
