"""Flax's own comparisons of NNX layers with Linen's: parameters by NNX's paths, inputs, and what Linen gives."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen, nnx
from nnx_layers import x

HALF, FLOAT = jnp.float16, jnp.float32
KINDS = {"half": dict(dtype=HALF, param_dtype=FLOAT), "half parameters": dict(dtype=FLOAT, param_dtype=HALF)}


def floats(value):
    return np.asarray(jnp.asarray(value, jnp.float32))


def flat(tree, path=()):
    if isinstance(tree, dict):
        return {k: v for name, sub in tree.items() for k, v in flat(sub, (*path, name)).items()}
    return {".".join(path): floats(tree)}


def result(module, value, *, rename=lambda path: path, exact=None, **kwargs):
    """What Linen gives; `exact` is the same NNX layer, which must give the same bits before anything is written."""
    variables = module.init(jax.random.key(1), value, **kwargs)
    y, _ = module.apply(variables, value, mutable=["batch_stats", "cache"], **kwargs)
    params = variables["params"]
    if exact is not None:
        for path, leaf in nnx.to_flat_state(nnx.state(exact, nnx.Param)):
            found = params
            for name in path:
                found = found[name]
            leaf.set_value(found)
        np.testing.assert_array_equal(exact(value, **kwargs), y)
    # What a wrapper makes itself is no parameter of the wrapped layer.
    own = {rename(path): leaf for path, leaf in flat(params).items() if "/" not in path}
    return {
        "params": own,
        "input": np.asarray(value) if value.dtype == jnp.int32 else floats(value),
        "output": floats(y),
        "dtype": str(y.dtype),
    }


def layers(kind, how):
    rngs = lambda: nnx.Rngs(42)  # noqa: E731
    rows, images = x(5, 6), x(2, 7, 5, 3)
    conv = dict(strides=(2, 3), padding=(4, 2), kernel_dilation=(2, 3))
    dilated = dict(conv, input_dilation=(2, 3), feature_group_count=3)
    mask = jnp.tril(jnp.ones((3, 2, 1, 6)))
    attention = dict(num_heads=2, qkv_features=6, out_features=6, **how)
    equation = "d...ab,bc...->ad...c"
    out = {
        "Linear": result(linen.Dense(4, **how), rows, exact=nnx.Linear(6, 4, rngs=rngs(), **how)),
        "Einsum": result(
            linen.Einsum((4, 5, 3, 2), equation, **how),
            x(2, 3, 2, 3, 4),
            exact=nnx.Einsum(equation, (4, 5, 3, 2), (3, 2, 5), rngs=rngs(), **how),
        ),
        "Conv": result(
            linen.Conv(6, (3, 2), mask=mask, **dilated, **how),
            images,
            exact=nnx.Conv(3, 6, (3, 2), mask=mask, rngs=rngs(), **dilated, **how),
        ),
        "ConvTranspose": result(
            linen.ConvTranspose(6, (3, 2), **conv, **how),
            images,
            exact=nnx.ConvTranspose(3, 6, (3, 2), rngs=rngs(), **conv, **how),
        ),
        "Embed": result(
            linen.Embed(7, 3, **how), jnp.arange(8, dtype=jnp.int32), exact=nnx.Embed(7, 3, rngs=rngs(), **how)
        ),
        "MultiHeadAttention": result(
            linen.MultiHeadDotProductAttention(normalize_qk=True, **attention),
            x(2, 4, 6),
            rename=lambda path: path.replace("query_ln", "queryLn").replace("key_ln", "keyLn"),
        ),
        "WeightNorm": result(
            WeightNormed(how), rows, rename=lambda path: path.replace("dense.", "layerInstance.")
        ),
        "SpectralNorm": result(
            SpectralNormed(how), rows, rename=lambda path: path.replace("dense.", "layerInstance."), update_stats=True
        ),
    }
    keep = np.array([True, False, True, True, False, True])
    for fast in (True, False):
        same = dict(use_fast_variance=fast, **how)
        end = " exact" if not fast else ""
        out["BatchNorm" + end] = result(linen.BatchNorm(use_running_average=False, **same), rows * 3 + 5, mask=keep)
        out["LayerNorm" + end] = result(linen.LayerNorm(**same), rows * 3 + 5, mask=keep)
        out["RMSNorm" + end] = result(linen.RMSNorm(**same), rows * 3 + 5, mask=keep)
        out["GroupNorm" + end] = result(linen.GroupNorm(num_groups=3, **same), rows * 3 + 5, mask=keep)
        out["InstanceNorm" + end] = result(linen.InstanceNorm(**same), images * 3 + 5, mask=keep[:3])
    return {f"{name}, {kind}": found for name, found in out.items()}


class WeightNormed(linen.Module):
    how: dict

    def setup(self):
        self.dense = linen.Dense(4, **self.how)
        self.weight_norm = linen.WeightNorm(
            self.dense, variable_filter={"kernel"}, scale_init=nnx.initializers.constant(0.5)
        )

    def __call__(self, value):
        return self.weight_norm(value)


class SpectralNormed(linen.Module):
    """Of one column: the first vector, which NNX draws elsewhere, is normalized to ±1, and its sign cancels."""

    how: dict

    def setup(self):
        self.dense = linen.Dense(1, **self.how)
        self.norm_layer = linen.SpectralNorm(self.dense, n_steps=1)

    def __call__(self, value, update_stats):
        return self.norm_layer(value, update_stats=update_stats)


def gates(params):
    return {path.replace("if.", "if_."): leaf for path, leaf in flat(params).items()}


def recurrent():
    sequence = x(2, 5, 3)
    cell = linen.LSTMCell(features=4)
    carry = cell.initialize_carry(jax.random.key(0), sequence[:, 0].shape)
    variables = cell.init(jax.random.key(1), carry, sequence[:, 0])
    (c, h), _ = cell.apply(variables, carry, sequence[:, 0])
    rnn = linen.RNN(linen.LSTMCell(features=4))
    inner = rnn.init(jax.random.key(1), sequence)
    return {
        "LSTMCell": {"params": gates(variables["params"]), "input": sequence[:, 0], "c": c, "h": h},
        "RNN": {
            "params": gates(inner["params"]),
            "input": sequence,
            "output": rnn.apply(inner, sequence, initial_carry=carry),
        },
    }


def attention():
    keys = jax.random.split(jax.random.key(42), 3)
    shapes = [(2, 5, 4, 8), (2, 5, 2, 8), (2, 5, 2, 8)]
    q, k, v = [np.asarray(jax.random.normal(key, shape)) for key, shape in zip(keys, shapes)]
    return {"query": q, "key": k, "value": v, "output": jax.nn.dot_product_attention(q, k, v)}


def welford():
    values = jax.random.normal(jax.random.key(0), (5, 2))
    many = jax.random.normal(jax.random.key(0), (50_000,))
    out = {}
    for name, batch in {"few": values, "large": values + 1e16, "many": many}.items():
        metric = nnx.metrics.Welford()
        metric.update(values=batch)
        found = metric.compute()
        out[name] = [found.mean, found.standard_deviation, found.standard_error_of_mean]
    return out


def cases():
    found = {name: one for kind, how in KINDS.items() for name, one in layers(kind, how).items()}
    return found | recurrent() | {"grouped attention": attention(), "Welford": welford()}
