"""Optimizer trajectories of one tensor, losses and schedules of optax."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

START = np.array([[1.0, -2.0, 0.5], [3.0, 0.5, -0.25]], np.float32)
STEPS = 12


def gradients():
    return np.random.default_rng(3).normal(size=(STEPS, *START.shape)).astype(np.float32)


def trajectory(transform):
    params = jnp.asarray(START)
    state = transform.init(params)
    out = []
    for g in gradients():
        updates, state = transform.update(jnp.asarray(g), state, params)
        params = optax.apply_updates(params, updates)
        out.append(np.asarray(params))
    return np.stack(out)


def optimizer_cases():
    transforms = {
        "sgd": optax.sgd(0.1),
        "sgd momentum": optax.sgd(0.1, momentum=0.9),
        "sgd nesterov": optax.sgd(0.1, momentum=0.9, nesterov=True),
        "sgd cosine": optax.sgd(optax.cosine_decay_schedule(0.5, 8)),
        "adam": optax.adam(0.1),
        "adam small": optax.adam(1e-3, b1=0.8, b2=0.99, eps=1e-6),
        "nadam": optax.adam(0.1, nesterov=True),
        "adamw": optax.adamw(0.1, weight_decay=0.01),
        "rmsprop": optax.rmsprop(0.1),
        "rmsprop momentum": optax.rmsprop(0.1, momentum=0.9),
        "adagrad": optax.adagrad(0.1),
        "lion": optax.lion(0.01),
        "clip adam": optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.1)),
        "decay sgd": optax.chain(optax.add_decayed_weights(0.1), optax.clip(0.5), optax.sgd(0.1)),
        "ema": optax.chain(optax.ema(0.9), optax.scale(-0.1)),
        "warmup adam": optax.adam(optax.warmup_cosine_decay_schedule(0.0, 0.1, 4, 10)),
    }
    out = {"start": START, "gradients": gradients()}
    return out | {name: trajectory(t) for name, t in transforms.items()}


def loss_cases():
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(6, 10)).astype(np.float32) * 4
    logits[1] = 0
    logits[2, 3] = 100
    labels = rng.integers(0, 10, 6).astype(np.int32)
    onehot = jax.nn.one_hot(labels, 10)
    ce = optax.softmax_cross_entropy_with_integer_labels
    x, t = rng.normal(size=(2, 9)).astype(np.float32)
    return {
        "logits": logits,
        "labels": labels,
        "softmax_cross_entropy_with_integer_labels": ce(logits, labels),
        "its gradient": jax.grad(lambda a: ce(a, labels).mean())(logits),
        "softmax_cross_entropy": optax.softmax_cross_entropy(logits, onehot),
        "predictions": x,
        "targets": t,
        "squared_error": optax.squared_error(x, t),
        "l2_loss": optax.l2_loss(x, t),
        "huber_loss": optax.huber_loss(x, t),
        "sigmoid_binary_cross_entropy": optax.sigmoid_binary_cross_entropy(x, (t > 0).astype(np.float32)),
    }


def schedule_cases():
    counts = np.arange(25, dtype=np.int32)
    schedules = {
        "constant": optax.constant_schedule(0.3),
        "linear": optax.linear_schedule(0.0, 1.0, 4),
        "polynomial": optax.polynomial_schedule(1.0, 0.1, 2, 10, 2),
        "exponential": optax.exponential_decay(1.0, 5, 0.5),
        "exponential staircase": optax.exponential_decay(1.0, 5, 0.5, 2, True, 0.3),
        "cosine": optax.cosine_decay_schedule(1.0, 10, 0.1),
        "piecewise_constant": optax.piecewise_constant_schedule(1.0, {3: 0.1, 6: 0.5}),
        "warmup_cosine": optax.warmup_cosine_decay_schedule(0.0, 1.0, 4, 12, 0.1),
        "join": optax.join_schedules([optax.constant_schedule(1.0), optax.linear_schedule(1.0, 0.0, 5)], [7]),
    }
    return {"counts": counts} | {k: np.array([s(int(c)) for c in counts], np.float32) for k, s in schedules.items()}
