"""Flax NNX: convolutions, poolings and normalizations: initial parameters, outputs, gradients, statistics.

Inputs come from seeds alone: x = normal(key(1), shape); gradients are those of sum(y * normal(key(2), y.shape)).
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


def flat(state):
    return {".".join(map(str, path)): np.asarray(leaf[...]) for path, leaf in nnx.to_flat_state(state)}


def outcome(layer, shape, **kwargs):
    """Parameters of a layer, what it makes of x, the gradients by its parameters and by x, and its statistics then."""
    x = jax.random.normal(jax.random.key(1), shape)
    out = {"params": flat(nnx.state(layer, nnx.Param))}
    y = layer(x, **kwargs)
    ct = jax.random.normal(jax.random.key(2), y.shape)
    out |= {"y": y, "stats": flat(nnx.state(layer, nnx.BatchStat))}

    def loss(layer, x):
        return jnp.sum(layer(x, **kwargs) * ct)

    grads, dx = nnx.grad(loss, argnums=(0, 1))(layer, x)
    return out | {"grads": flat(grads), "dx": dx}


def rngs():
    return nnx.Rngs(3)


def conv_cases():
    conv, transpose = nnx.Conv, nnx.ConvTranspose
    mask = jnp.tril(jnp.ones((3, 4, 2)))
    return {
        "Conv 3x3": (conv(3, 4, (3, 3), rngs=rngs()), (2, 6, 5, 3)),
        "Conv int kernel, no bias": (conv(3, 2, 4, use_bias=False, rngs=rngs()), (2, 7, 3)),
        "Conv strides 2 VALID": (conv(2, 4, (3, 2), strides=2, padding="VALID", rngs=rngs()), (1, 7, 6, 2)),
        "Conv groups, dilated": (conv(4, 6, (3,), kernel_dilation=2, feature_group_count=2, rngs=rngs()), (2, 8, 4)),
        "Conv depthwise": (conv(4, 4, (3, 3), feature_group_count=4, padding=1, rngs=rngs()), (1, 5, 5, 4)),
        "Conv input dilation": (
            conv(2, 3, (2, 3), input_dilation=(2, 1), padding=((1, 0), 2), rngs=rngs()),
            (1, 4, 5, 2),
        ),
        "Conv CIRCULAR": (conv(2, 3, (3, 4), padding="CIRCULAR", rngs=rngs()), (1, 5, 6, 2)),
        "Conv REFLECT": (conv(2, 3, (5,), padding="REFLECT", rngs=rngs()), (1, 6, 2)),
        "Conv CAUSAL": (conv(2, 3, (3,), kernel_dilation=2, padding="CAUSAL", rngs=rngs()), (1, 6, 2)),
        "Conv mask": (conv(4, 2, (3,), mask=mask, rngs=rngs()), (1, 6, 4)),
        "Conv no batch": (conv(2, 3, (3,), rngs=rngs()), (6, 2)),
        "Conv two batch axes": (conv(2, 3, (3,), rngs=rngs()), (2, 3, 5, 2)),
        "Conv 3-D": (conv(2, 3, (2, 2, 2), strides=(1, 2, 1), rngs=rngs()), (1, 3, 4, 3, 2)),
        "ConvTranspose SAME": (transpose(3, 4, (3, 3), strides=(2, 2), rngs=rngs()), (1, 4, 3, 3)),
        "ConvTranspose VALID": (transpose(2, 3, (4,), strides=3, padding="VALID", rngs=rngs()), (2, 4, 2)),
        "ConvTranspose transposed": (
            transpose(2, 3, (3,), strides=2, transpose_kernel=True, kernel_dilation=2, rngs=rngs()),
            (1, 4, 2),
        ),
        "ConvTranspose pairs": (transpose(2, 3, (3,), strides=2, padding=((1, 2),), rngs=rngs()), (1, 4, 2)),
        "ConvTranspose CIRCULAR": (
            transpose(2, 3, (4, 3), strides=(2, 1), padding="CIRCULAR", rngs=rngs()),
            (1, 3, 4, 2),
        ),
        "ConvTranspose CIRCULAR transposed": (
            transpose(2, 3, (4,), strides=2, padding="CIRCULAR", transpose_kernel=True, rngs=rngs()),
            (1, 3, 2),
        ),
    }


def norm_cases():
    some = jax.nn.initializers.normal(1.0)
    both = {"scale_init": some, "bias_init": some}
    mask = jnp.array([[True, False, True, True]])[..., None]
    stats = nnx.BatchNorm(3, **both, rngs=rngs())
    stats(jax.random.normal(jax.random.key(5), (4, 3)))
    stats.eval()
    return {
        "BatchNorm": (nnx.BatchNorm(3, **both, rngs=rngs()), (4, 3)),
        "BatchNorm images, exact variance": (
            nnx.BatchNorm(4, use_fast_variance=False, momentum=0.9, rngs=rngs()),
            (2, 3, 3, 4),
        ),
        "BatchNorm axis 1, no scale": (nnx.BatchNorm(5, axis=1, use_scale=False, bias_init=some, rngs=rngs()), (4, 5, 2)),
        "BatchNorm mask": (nnx.BatchNorm(3, rngs=rngs()), (2, 4, 3), {"mask": mask}),
        "BatchNorm evaluated": (stats, (4, 3)),
        "LayerNorm": (nnx.LayerNorm(6, **both, rngs=rngs()), (4, 6)),
        "LayerNorm exact, no bias": (
            nnx.LayerNorm(6, use_bias=False, use_fast_variance=False, scale_init=some, rngs=rngs()),
            (2, 3, 6),
        ),
        "LayerNorm axes": (nnx.LayerNorm(4, reduction_axes=(1, 2), feature_axes=1, **both, rngs=rngs()), (3, 4, 5)),
        "LayerNorm mask": (nnx.LayerNorm(8, rngs=rngs()), (2, 4, 8), {"mask": mask | True}),
        "RMSNorm": (nnx.RMSNorm(6, scale_init=some, rngs=rngs()), (4, 6)),
        "RMSNorm no scale": (nnx.RMSNorm(6, use_scale=False, epsilon=0.1, rngs=rngs()), (4, 6)),
        "GroupNorm": (nnx.GroupNorm(6, num_groups=3, **both, rngs=rngs()), (2, 3, 4, 6)),
        "GroupNorm size": (nnx.GroupNorm(16, num_groups=None, group_size=8, **both, rngs=rngs()), (3, 16)),
        "InstanceNorm": (nnx.InstanceNorm(3, **both, rngs=rngs()), (2, 4, 2, 3)),
    }


def pool_cases():
    x = jax.random.normal(jax.random.key(1), (2, 5, 6, 3))
    line = jax.random.normal(jax.random.key(1), (7, 2))
    cases = {
        "avgPool": (lambda x: nnx.avg_pool(x, (2, 2), strides=(2, 2)), x),
        "avgPool SAME": (lambda x: nnx.avg_pool(x, (3, 2), strides=(2, 1), padding="SAME"), x),
        "avgPool counted": (lambda x: nnx.avg_pool(x, (3, 2), (2, 1), ((1, 1), (0, 2)), count_include_pad=False), x),
        "avgPool counted, no batch": (lambda x: nnx.avg_pool(x, (3,), padding="SAME", count_include_pad=False), line),
        "maxPool": (lambda x: nnx.max_pool(x, (2, 2), strides=(2, 2)), x),
        "maxPool SAME": (lambda x: nnx.max_pool(x, (3, 3), strides=(2, 2), padding="SAME"), x),
        "maxPool no batch": (lambda x: nnx.max_pool(x, (3,)), line),
        "minPool": (lambda x: nnx.min_pool(x, (2, 3), padding=((1, 0), (0, 1))), x),
    }
    out = {}
    for name, (f, x) in cases.items():
        y, pull = jax.vjp(f, x)
        out[name] = {"y": y, "dx": pull(jax.random.normal(jax.random.key(2), y.shape))[0]}
    return out


def cases():
    layers = conv_cases() | norm_cases()
    return {name: outcome(layer, shape, **dict(*rest)) for name, (layer, shape, *rest) in layers.items()} | pool_cases()
