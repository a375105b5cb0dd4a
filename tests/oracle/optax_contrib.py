"""Trajectories under optax.contrib, and under options of the others that optax_more leaves out."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from optax_more import START, gradients, trajectory

c = optax.contrib
VALUES = [1.5, 1.4, 1.4, 1.6, 1.4, 1.2]


def valued(transform):
    """A trajectory whose value changes, for what depends on it."""
    params = jax.tree.map(jnp.asarray, START)
    state, out = transform.init(params), []
    for g, value in zip(gradients(), VALUES):
        updates, state = transform.update(jax.tree.map(jnp.asarray, g), state, params, value=jnp.float32(value))
        params = optax.apply_updates(params, updates)
        out.append(np.concatenate([np.ravel(params["b"]), np.ravel(params["w"])]))
    return np.stack(out)


def plain(transform):
    """Without extra arguments, which sam refuses."""
    return optax.GradientTransformation(transform.init, lambda u, s, p=None: transform.update(u, s, p))


def transforms():
    o = optax
    mask = {"b": False, "w": True}
    bf16 = jnp.bfloat16
    adversary = lambda: o.chain(c.normalize(), o.sgd(0.05))  # noqa: E731
    return {
        "acprop": c.acprop(0.1, weight_decay=0.01),
        "ademamix": c.ademamix(0.1, b3=o.linear_schedule(0.9, 0.999, 4), weight_decay=0.01),
        "simplified_ademamix": c.simplified_ademamix(0.1, alpha=o.linear_schedule(0.0, 3.0, 4)),
        "adopt": c.adopt(0.1),
        "adopt nesterov": c.adopt(0.1, nesterov=True, use_clipping=False, eps=0.1),
        "cocob": c.cocob(weight_decay=0.01),
        "cocob eager": c.cocob(alpha=2.0),
        "dadapt_adamw": c.dadapt_adamw(weight_decay=0.01, estim_lr0=0.01),
        "prodigy": c.prodigy(weight_decay=0.01, estim_lr0=0.01),
        "prodigy warm": c.prodigy(o.linear_schedule(0.1, 1.0, 3), estim_lr0=0.01, safeguard_warmup=True, beta3=0.9),
        "mechanize": c.mechanize(o.adam(0.1), s_init=0.1),
        "dog": c.dog(),
        "dog distance": c.dog(0.5, ("distance", 0.1), weight_decay=0.01),
        "dog rate": c.dog(init_step=("learning_rate", 0.1)),
        "dowg": c.dowg(init_estim_sq_dist=0.1),
        "scale_by_distance_over_gradients": o.chain(o.scale_by_distance_over_gradients(0.1), o.scale(-1.0)),
        "momo": c.momo(0.2, weight_decay=0.01),
        "momo bound": c.momo(0.2, lower_bound=-1.0, adapt_lower_bound=True),
        "momo_adam": c.momo_adam(0.2, weight_decay=0.01),
        "momo_adam bound": c.momo_adam(0.2, adapt_lower_bound=True),
        "madgrad": c.madgrad(o.linear_schedule(0.1, 0.01, 4), weight_decay=0.01),
        "schedule_free_sgd": c.schedule_free_sgd(0.1, weight_decay=0.01),
        "schedule_free_adamw": c.schedule_free_adamw(0.1, warmup_steps=3, weight_decay=0.01),
        "sam": plain(c.sam(o.adam(0.1), adversary())),
        "sam three": plain(c.sam(o.sgd(0.1), o.adam(0.05), sync_period=3, reset_state=False)),
        "muon": c.muon(0.1, weight_decay=0.01),
        "muon dion": c.muon(0.1, ns_coeffs="dion", adaptive=True, nesterov=False, adam_learning_rate=0.01),
        "muon spectral": c.muon(0.1, preconditioning="spectral", consistent_rms=0.2),
        "muon aol": c.muon(0.1, preconditioning="aol"),
        "muon schatten": c.muon(0.1, preconditioning="schatten"),
        "optimistic_adam": o.optimistic_adam(0.1, 0.2),
        "sgd bfloat16": o.sgd(0.1, momentum=0.9, nesterov=True, accumulator_dtype=bf16),
        "adam bfloat16": o.adam(0.1, mu_dtype=bf16),
        "amsgrad uncorrected": o.amsgrad(0.1, mu_dtype=bf16, bias_correction_mu=False, bias_correction_nu=False),
        "lion bfloat16": o.lion(0.1, mu_dtype=bf16),
        "novograd bfloat16": o.chain(o.scale_by_novograd(mu_dtype=bf16), o.scale(-0.1)),
        "signum bfloat16": o.signum(0.1, accumulator_dtype=bf16),
        "add_decayed_weights schedule": o.chain(
            o.add_decayed_weights(o.linear_schedule(0.1, 0.5, 4), mask=mask), o.sgd(0.1)
        ),
        "MultiSteps bfloat16": o.MultiSteps(o.sgd(0.1), 2, accumulator_dtype=bf16).gradient_transformation(),
        "flatten": o.flatten(o.chain(o.clip_by_block_rms(0.3), o.adam(0.1))),
        "named_chain": o.named_chain(("clip", o.clip(0.3)), ("adam", o.adam(0.1))),
        "selective_transform": o.selective_transform(o.adam(0.1), freeze_mask=mask),
        "inject two": o.inject_hyperparams(o.adamw)(o.linear_schedule(0.1, 0.0, 4), weight_decay=0.1),
    }


def cases():
    out = {"start": START, "gradients": gradients(), "values": np.array(VALUES, np.float32)}
    out |= {name: trajectory(t) for name, t in transforms().items()}
    out["reduce_on_plateau"] = valued(
        optax.chain(optax.sgd(0.1), c.reduce_on_plateau(factor=0.5, patience=1, cooldown=1, rtol=0.01))
    )
    out["reduce_on_plateau accumulated"] = valued(
        optax.chain(optax.sgd(0.1), c.reduce_on_plateau(factor=0.5, patience=1, accumulation_size=2, min_scale=0.4))
    )
    return out | lookahead() | opaque() | privacy() | matrices() | schedule_free()


def lookahead():
    tx = optax.lookahead(optax.adam(0.1), 2, 0.5, reset_state=True)
    params = optax.LookaheadParams.init_synced(jax.tree.map(jnp.asarray, START))
    state, out = tx.init(params), []
    for g in gradients():
        updates, state = tx.update(jax.tree.map(jnp.asarray, g), state, params)
        params = optax.apply_updates(params, updates)
        out.append(np.concatenate([np.ravel(x) for x in jax.tree.leaves((params.fast, params.slow))]))
    return {"lookahead reset": np.stack(out)}


def opaque():
    """sam in one call: gradients of Σ p⁴ / 4."""
    tx = c.sam(optax.sgd(0.01), optax.sgd(0.05), sync_period=3, opaque_mode=True)
    params = jax.tree.map(jnp.asarray, START)
    cubes = lambda p, _=None: jax.tree.map(lambda x: x**3, p)  # noqa: E731
    state, out = tx.init(params), []
    for _ in range(3):
        updates, state = tx.update(cubes(params), state, params, grad_fn=cubes)
        params = optax.apply_updates(params, updates)
        out.append(np.concatenate([np.ravel(params["b"]), np.ravel(params["w"])]))
    return {"sam opaque": np.stack(out)}


def privacy():
    rng = np.random.default_rng(4)
    grads = {"b": rng.normal(size=(3, 2)).astype(np.float32), "w": rng.normal(size=(3, 2, 2)).astype(np.float32)}
    tx = c.dpsgd(0.1, l2_norm_clip=1.0, noise_multiplier=0.5, seed=7, momentum=0.9)
    state, steps = tx.init(START), []
    for _ in range(3):
        updates, state = tx.update(jax.tree.map(jnp.asarray, grads), state)
        steps.append(np.concatenate([np.ravel(updates["b"]), np.ravel(updates["w"])]))
    layer, _ = optax.per_example_layer_norm_clip(jax.tree.map(jnp.asarray, grads), 1.0, uniform=False)
    return {"example gradients": grads, "dpsgd": np.stack(steps), "per_example_layer_norm_clip": layer}


def matrices():
    """muon on kernels of other shapes: a wide one, and a convolution's taken as [9·2, 4]."""
    rng = np.random.default_rng(5)
    params = {"conv": rng.normal(size=(3, 3, 2, 4)).astype(np.float32), "wide": rng.normal(size=(2, 6)).astype(np.float32)}
    dims = {"conv": c.MuonDimensionNumbers((0, 1, 2), (3,)), "wide": c.MuonDimensionNumbers(0, 1)}
    tx = c.muon(0.1, muon_weight_dimension_numbers=dims)
    state = tx.init(params)
    for _ in range(2):
        updates, state = tx.update(jax.tree.map(lambda p: jnp.asarray(p) * 2, params), state, params)
    return {"muon dimensions": {"params": params, "updates": updates}}


def galore():
    """Matrices of three shapes and what is none. The base's memory sees which of two signs a newly chosen direction has, which is
    anyone's choice; where directions are chosen again the gradient is twice the first, so that they and their signs stay."""
    rng = np.random.default_rng(6)
    shapes = {"b": (3,), "deep": (2, 3, 4), "tall": (6, 3), "wide": (3, 5)}
    draw = lambda: {k: rng.normal(size=s).astype(np.float32) for k, s in shapes.items()}  # noqa: E731
    params, steps = draw(), [draw() for _ in range(4)]
    steps[2] = {k: 2 * x for k, x in steps[0].items()}
    dims = {"b": None, "deep": c.GaLoreDimensionNumbers((0, 2), 1), "tall": c.GaLoreDimensionNumbers(1, 0), "wide": None}
    of_matrices = {"b": False, "deep": True, "tall": True, "wide": True}
    transforms = {
        "of matrices": c.galore(0.1, rank=2, scale=0.5, weight_decay=0.1, mask=of_matrices),
        "of all that have two axes": c.galore(
            0.1, rank=1, update_proj_gap=2, weight_dimension_numbers=c.GaLoreDimensionNumbers(0, -1),
            base_optimizer=optax.trace(0.9),
        ),
        "of some": c.galore(optax.linear_schedule(0.1, 0.2, 3), weight_dimension_numbers=dims, update_proj_gap=2),
    }  # fmt: skip
    out = {"params": params, "gradients": steps, "updates": {}}
    for name, tx in transforms.items():
        given = params | {"deep": params["deep"].reshape(6, 4)} if "all" in name else params
        now = jax.tree.map(jnp.asarray, given)
        state, found = tx.init(now), []
        for step in steps:
            grads = {k: jnp.asarray(x).reshape(now[k].shape) for k, x in step.items()}
            updates, state = tx.update(grads, state, now)
            now = optax.apply_updates(now, updates)
            found.append(updates)
        out["updates"][name] = found
    return out


def schedule_free():
    tx = c.schedule_free_sgd(0.1)
    params = jax.tree.map(jnp.asarray, START)
    state = tx.init(params)
    for g in gradients():
        updates, state = tx.update(jax.tree.map(jnp.asarray, g), state, params)
        params = optax.apply_updates(params, updates)
    return {"schedule_free_eval_params": c.schedule_free_eval_params(state, params)}


def losses():
    o = optax.losses
    rng = np.random.default_rng(21)
    x = rng.normal(size=(5, 4)).astype(np.float32) * 2
    y = rng.normal(size=(5, 4)).astype(np.float32)
    onehot = np.eye(4, dtype=np.float32)[[0, 3, 1, 1, 2]]
    labels = np.array([0, 3, 1, 1, 2], np.int32)
    p = np.asarray(jax.nn.softmax(y))
    where = np.array([[1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 1, 1], [0, 1, 1, 0], [1, 1, 1, 0]]).astype(bool)
    w = jnp.asarray(where)
    functions = {
        "softmax_cross_entropy where": lambda a: o.softmax_cross_entropy(a, onehot, where=w),
        "softmax_cross_entropy_with_integer_labels where": lambda a: o.softmax_cross_entropy_with_integer_labels(
            a, labels, where=w
        ),
        "softmax_cross_entropy_with_integer_labels masked row": lambda a: o.softmax_cross_entropy_with_integer_labels(
            a, labels, where=w & (jnp.arange(5) != 2)[:, None]
        ),
        "poly_loss_cross_entropy where": lambda a: o.poly_loss_cross_entropy(a, onehot, where=w, epsilon=1.0),
        "kl_divergence where": lambda a: o.kl_divergence(jax.nn.log_softmax(a), p, where=w),
        "kl_divergence_with_log_targets where": lambda a: o.kl_divergence_with_log_targets(a, jnp.log(p), where=w),
        "generalized_kl_divergence where": lambda a: o.generalized_kl_divergence(a, p, where=w),
        "smooth_labels where": lambda a: o.smooth_labels(a, 0.2, where=w),
        "cosine_similarity where": lambda a: o.cosine_similarity(a, y, where=w),
        "sparsemax_loss": lambda a: o.sparsemax_loss(a, onehot.astype(bool)),
        "multiclass_sparsemax_loss": lambda a: o.multiclass_sparsemax_loss(a, labels),
        "projection_simplex": lambda a: jax.vmap(lambda r: optax.projections.projection_simplex(r, 2.0))(a) ** 2,
        "multiclass_generalized_dice_loss": lambda a: o.multiclass_generalized_dice_loss(a, onehot),
        "binary_dice_loss": lambda a: o.binary_dice_loss(a, onehot),
        "safe_norm": lambda a: optax.safe_norm(a, 2.0, axis=-1),
        "safe_root_mean_squares": lambda a: optax.safe_root_mean_squares(a, 0.1),
        "scale_gradient": lambda a: optax.scale_gradient(a, 3.0) ** 2,
    }
    out = {"x": x, "y": y, "onehot": onehot, "labels": labels, "p": p, "where": where}
    for name, f in functions.items():
        out[name] = {"value": f(x), "gradient": jax.grad(lambda a: jnp.sum(f(a)))(jnp.asarray(x))}
    return out
