"""Trajectories of a tree of two leaves under every optimizer, transformation and wrapper of optax; schedules, losses."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax

warnings.simplefilter("ignore")
START = {"b": np.array([0.25, -1.0], np.float32), "w": np.array([[1.0, -2.0], [3.0, 0.5]], np.float32)}
STEPS = 6


def gradients():
    rng = np.random.default_rng(13)
    return [{"b": rng.normal(size=2).astype(np.float32), "w": rng.normal(size=(2, 2)).astype(np.float32)} for _ in range(STEPS)]


def trajectory(transform, nans=False):
    params = jax.tree.map(jnp.asarray, START)
    state = transform.init(params)
    out = []
    for step, g in enumerate(gradients()):
        if nans and step in (1, 3):
            g = {"b": g["b"] * np.nan, "w": g["w"]}
        value = {"value": jnp.float32(1.5)}
        update = optax.with_extra_args_support(transform).update
        updates, state = update(jax.tree.map(jnp.asarray, g), state, params, **value)
        params = optax.apply_updates(params, updates)
        out.append(np.concatenate([np.ravel(params["b"]), np.ravel(params["w"])]))
    return np.stack(out)


def transforms():
    o = optax
    mask = {"b": False, "w": True}
    return {
        "nadam": o.nadam(0.1),
        "nadamw": o.nadamw(0.1, weight_decay=0.01),
        "adamax": o.adamax(0.1),
        "adamaxw": o.adamaxw(0.1, weight_decay=0.01),
        "amsgrad": o.amsgrad(0.1),
        "adabelief": o.adabelief(0.1),
        "adabelief nesterov": o.adabelief(0.1, nesterov=True),
        "radam": o.radam(0.1),
        "radam early": o.radam(0.1, b2=0.9, nesterov=True),
        "yogi": o.yogi(0.1),
        "adagrad": o.adagrad(0.1),
        "adadelta": o.adadelta(1.0, weight_decay=0.01),
        "rmsprop": o.rmsprop(0.1),
        "rmsprop centered": o.rmsprop(0.1, centered=True, momentum=0.9, nesterov=True),
        "rmsprop corrected": o.rmsprop(0.1, bias_correction=True, eps_in_sqrt=False, initial_scale=0.1),
        "lion": o.lion(0.1),
        "lion smooth": o.chain(o.scale_by_lion(mode="smooth"), o.scale(-0.1)),
        "lion refined": o.chain(o.scale_by_lion(mode="refined"), o.scale(-0.1)),
        "lamb": o.lamb(0.1, weight_decay=0.01),
        "lars": o.lars(0.1, weight_decay=0.01),
        "adafactor": o.adafactor(0.1),
        "adafactor factored": o.adafactor(0.1, min_dim_size_to_factor=2, momentum=0.9, weight_decay_rate=0.01),
        "fromage": o.fromage(0.1),
        "adan": o.adan(0.1, weight_decay=0.01),
        "novograd": o.novograd(0.1, weight_decay=0.01),
        "optimistic_gradient_descent": o.optimistic_gradient_descent(0.1),
        "optimistic_adam_v2": o.optimistic_adam_v2(0.1),
        "sm3": o.sm3(0.1),
        "rprop": o.rprop(0.1),
        "polyak_sgd": o.polyak_sgd(),
        "noisy_sgd": o.noisy_sgd(0.1, key=jax.random.key(3)),
        "sign_sgd": o.sign_sgd(0.1),
        "signum": o.signum(0.1),
        "clip": o.chain(o.clip(0.5), o.sgd(0.1)),
        "clip_by_block_rms": o.chain(o.clip_by_block_rms(0.5), o.sgd(0.1)),
        "adaptive_grad_clip": o.chain(o.adaptive_grad_clip(0.1), o.sgd(0.1)),
        "centralize": o.chain(o.centralize(), o.sgd(0.1)),
        "apply_every": o.chain(o.apply_every(2), o.sgd(0.1)),
        "zero_nans": o.chain(o.zero_nans(), o.sgd(0.1)),
        "keep_params_nonnegative": o.chain(o.sgd(0.5), o.keep_params_nonnegative()),
        "ema": o.chain(o.ema(0.9, debias=False), o.scale(-0.1)),
        "scale_by_param_block_norm": o.chain(o.scale_by_param_block_norm(), o.scale(-0.1)),
        "normalize_by_update_norm": o.chain(o.normalize_by_update_norm(2.0), o.scale(-0.1)),
        "masked": o.masked(o.adam(0.1), mask),
        "partition": o.partition({"a": o.adam(0.1), "z": o.set_to_zero()}, {"b": "z", "w": "a"}),
        "freeze": o.chain(o.sgd(0.1), o.freeze(mask)),
        "inject_hyperparams": o.inject_hyperparams(o.adam)(o.linear_schedule(0.1, 0.0, 4)),
        "MultiSteps": o.MultiSteps(o.adam(0.1), 3).gradient_transformation(),
        "MultiSteps sum": o.MultiSteps(o.sgd(0.1), lambda s: 2 + s, use_grad_mean=False).gradient_transformation(),
        "MultiSteps skip": o.MultiSteps(
            o.adam(0.1), 2, should_skip_update_fn=o.skip_not_finite
        ).gradient_transformation(),
        "apply_if_finite": o.apply_if_finite(o.adam(0.1), 5),
        "conditionally_transform": o.conditionally_transform(o.sgd(0.1), lambda step: step % 2 == 0),
        "conditionally_mask": o.conditionally_mask(o.adam(0.1), lambda step: step % 2 == 0),
        "adamw schedule mask": o.adamw(o.cosine_decay_schedule(0.1, 5), weight_decay=0.1, mask=mask),
    }


NANS = ("zero_nans", "MultiSteps skip", "apply_if_finite")


def optimizer_cases():
    out = {"start": START, "gradients": gradients()}
    out |= {name: trajectory(t, name in NANS) for name, t in transforms().items()}
    return out | {"lookahead": lookahead()}


def lookahead():
    tx = optax.lookahead(optax.sgd(0.1), 2, 0.5)
    params = optax.LookaheadParams.init_synced(jax.tree.map(jnp.asarray, START))
    state, out = tx.init(params), []
    for g in gradients():
        updates, state = tx.update(jax.tree.map(jnp.asarray, g), state, params)
        params = optax.apply_updates(params, updates)
        out.append(np.concatenate([np.ravel(x) for x in jax.tree.leaves((params.fast, params.slow))]))
    return np.stack(out)


def schedule_cases():
    o = optax
    cycle = dict(init_value=0.1, peak_value=1.0, warmup_steps=3, decay_steps=8, end_value=0.05)
    schedules = {
        "piecewise_interpolate linear": o.piecewise_interpolate_schedule("linear", 1.0, {5: 0.5, 12: 4.0}),
        "piecewise_interpolate cosine": o.piecewise_interpolate_schedule("cosine", 1.0, {5: 0.5, 12: 4.0}),
        "linear_onecycle": o.linear_onecycle_schedule(20, 1.0),
        "cosine_onecycle": o.cosine_onecycle_schedule(20, 1.0),
        "warmup_constant": o.warmup_constant_schedule(0.0, 1.0, 4),
        "warmup_exponential": o.warmup_exponential_decay_schedule(0.0, 1.0, 4, 5, 0.5, end_value=0.2),
        "sgdr": o.sgdr_schedule([cycle, cycle | dict(peak_value=0.5, decay_steps=12)]),
        "piecewise_constant": o.piecewise_constant_schedule(1.0, {3: 0.1, 6: 0.5}),
        "warmup_cosine": o.warmup_cosine_decay_schedule(0.0, 1.0, 4, 12, 0.1, 2.0),
        "join": o.join_schedules([o.constant_schedule(1.0), o.linear_schedule(1.0, 0.0, 5)], [7]),
    }
    counts = np.arange(25, dtype=np.int32)
    return {"counts": counts} | {k: np.array([s(int(c)) for c in counts], np.float32) for k, s in schedules.items()}


def loss_cases():
    o = optax
    rng = np.random.default_rng(21)
    x = rng.normal(size=(5, 4)).astype(np.float32) * 2
    y = rng.normal(size=(5, 4)).astype(np.float32)
    z = rng.normal(size=(5, 4)).astype(np.float32)
    onehot = np.eye(4, dtype=np.float32)[[0, 3, 1, 1, 2]]
    labels = np.array([0, 3, 1, 1, 2], np.int32)
    signs = np.sign(y)
    p = np.asarray(jax.nn.softmax(y))
    where = np.array([[1, 1, 0, 1]] * 5).astype(bool)
    losses = {
        "squared_error": lambda a: o.losses.squared_error(a, y),
        "l2_loss": lambda a: o.losses.l2_loss(a, y),
        "huber_loss": lambda a: o.losses.huber_loss(a, y, delta=0.7),
        "log_cosh": lambda a: o.losses.log_cosh(a, y),
        "cosine_similarity": lambda a: o.losses.cosine_similarity(a, y, epsilon=1e-6),
        "cosine_distance": lambda a: o.losses.cosine_distance(a, y, axis=0),
        "triplet_margin_loss": lambda a: o.losses.triplet_margin_loss(a, y, z),
        "triplet_margin_loss cubic": lambda a: o.losses.triplet_margin_loss(jnp.abs(a), -jnp.abs(y), -jnp.abs(z), norm_degree=3),
        "sigmoid_binary_cross_entropy": lambda a: o.losses.sigmoid_binary_cross_entropy(a, onehot),
        "sigmoid_focal_loss": lambda a: o.losses.sigmoid_focal_loss(a, onehot, alpha=0.25),
        "safe_softmax_cross_entropy": lambda a: o.losses.safe_softmax_cross_entropy(a, onehot),
        "poly_loss_cross_entropy": lambda a: o.losses.poly_loss_cross_entropy(a, onehot),
        "hinge_loss": lambda a: o.losses.hinge_loss(a, signs),
        "perceptron_loss": lambda a: o.losses.perceptron_loss(a, signs),
        "multiclass_hinge_loss": lambda a: o.losses.multiclass_hinge_loss(a, labels),
        "multiclass_perceptron_loss": lambda a: o.losses.multiclass_perceptron_loss(a, labels),
        "kl_divergence": lambda a: o.losses.kl_divergence(jax.nn.log_softmax(a), p),
        "kl_divergence_with_log_targets": lambda a: o.losses.kl_divergence_with_log_targets(jax.nn.log_softmax(a), jnp.log(p)),
        "generalized_kl_divergence": lambda a: o.losses.generalized_kl_divergence(a, p),
        "smooth_labels": lambda a: o.losses.smooth_labels(a, 0.2),
        "ranking_softmax_loss": lambda a: o.losses.ranking_softmax_loss(a, onehot),
        "ranking_softmax_loss where": lambda a: o.losses.ranking_softmax_loss(a, onehot, where=jnp.asarray(where)),
        "dice_loss": lambda a: o.losses.dice_loss(a[None], onehot[None]),
        "dice_loss no background": lambda a: o.losses.dice_loss(a[None], onehot[None], ignore_background=True, alpha=0.3),
        "ntxent": lambda a: o.losses.ntxent(a, jnp.array([0, 1, 1, 0, 0])),
    }
    out = {"x": x, "y": y, "z": z, "onehot": onehot, "labels": labels, "p": p, "where": where}
    for name, f in losses.items():
        out[name] = {"value": f(x), "gradient": jax.grad(lambda a: jnp.sum(f(a)))(x)}
    return out
