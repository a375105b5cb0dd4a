"""Optax's projections, linear algebra, perturbations and microbatching."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from optax import microbatching as mb
from optax import projections as p


def tree():
    keys = jax.random.split(jax.random.key(5), 2)
    return {"a": jax.random.normal(keys[0], (2, 3)), "b": 2 * jax.random.normal(keys[1], (4,))}


def projection_cases():
    x = tree()
    a = jax.tree.map(lambda v: jnp.cos(v), x)
    small = jax.tree.map(lambda v: 0.01 * v, x)
    # One for the gradient of a weighted sum.
    weights = jax.tree.map(lambda v: jnp.sin(3 * v), x)
    functions = {
        "nonNegative": p.projection_non_negative,
        # Optax takes numbers as bounds of a bare array alone.
        "box": lambda t: jax.tree.map(lambda v: p.projection_box(v, -0.5, 0.25), t),
        "box of trees": lambda t: p.projection_box(t, jax.tree.map(lambda v: v - 0.1, a), a),
        "hypercube": lambda t: jax.tree.map(p.projection_hypercube, t),
        "simplex": p.projection_simplex,
        "simplex 3": lambda t: p.projection_simplex(t, 3.0),
        "l1Sphere": p.projection_l1_sphere,
        "l1Ball": lambda t: p.projection_l1_ball(t, 2.0),
        "l2Sphere": lambda t: p.projection_l2_sphere(t, 2.0),
        "l2Ball": p.projection_l2_ball,
        "linfBall": lambda t: p.projection_linf_ball(t, 0.3),
        "vector": lambda t: p.projection_vector(t, a),
        "hyperplane": lambda t: p.projection_hyperplane(t, a, 0.7),
        "halfspace": lambda t: p.projection_halfspace(t, a, -0.7),
    }
    out = {"x": x, "a": a, "small": small, "weights": weights}
    for name, f in functions.items():
        total = lambda t: optax.tree.vdot(weights, f(t))  # noqa: B023, E731
        out[name] = {"value": f(x), "small": f(small), "gradient": jax.grad(total)(x)}
    return out


def algebra_cases():
    m = jax.random.normal(jax.random.key(2), (4, 4))
    spd = m @ m.T + 0.1 * jnp.eye(4)
    v0 = {"x": jnp.array([1.0, 2.0])}
    value, vector = optax.power_iteration(spd)
    own, trees = optax.power_iteration(lambda t: {"x": jnp.array([3.0, 1.0]) * t["x"]}, v0=v0)
    a, b = jax.random.normal(jax.random.key(3), (6, 4)), jax.random.normal(jax.random.key(4), (6, 2))
    out = {
        "spd": spd,
        "power": [value, vector],
        "power of trees": [own, trees["x"]],
        "A": a,
        "b": b,
        "nnls": optax.nnls(a, b, 100),
        "nnls vector": optax.nnls(a, b[:, 0], 60, L=30.0),
        "nnls few": optax.nnls(a, b, 3),
    }
    for power in (1, 2, 4, 8):
        out[f"root {power}"] = optax._src.linear_algebra.matrix_inverse_pth_root(spd, power)[0]
    return out


def perturbation_cases():
    x = jnp.array([0.5, 0.7, 0.1])
    key = jax.random.key(0)
    hard = lambda v: jax.nn.one_hot(jnp.argmax(v), 3)  # noqa: E731
    trees = lambda t: {"max": jnp.max(t["a"]) + jnp.sum(t["b"] ** 2)}  # noqa: E731
    t = {"a": x, "b": jnp.array([0.3, -0.2])}
    out = {"x": x}
    for name, kwargs in {
        "gumbel": {},
        "normal": {"noise": optax.perturbations.Normal(), "sigma": 0.3},
        "no baseline": {"use_baseline": False},
    }.items():
        f = optax.perturbations.make_perturbed_fun(hard, num_samples=64, **kwargs)
        g = optax.perturbations.make_perturbed_fun(trees, num_samples=32, **kwargs)
        out[name] = {
            "value": f(key, x),
            "jacobian": jax.jacrev(lambda v: f(key, v))(x),  # noqa: B023
            "tree": g(key, t)["max"],
            "tree gradient": jax.grad(lambda v: g(key, v)["max"])(t),  # noqa: B023
        }
    return out


def microbatch_cases():
    x, w = jax.random.normal(jax.random.key(1), (12, 3)), jnp.array([0.5, -1.0, 2.0])
    kinds = mb.AccumulationType
    loss = lambda v, batch: jnp.mean((batch @ v - 1) ** 2)  # noqa: E731
    both = lambda batch: {"s": jnp.sum(batch), "all": batch * 2}  # noqa: E731
    per = mb.micro_grad(
        loss, microbatch_size=4, transform_fn=lambda g: g / jnp.linalg.norm(g), metrics_fn=jnp.linalg.norm
    )
    gradient, aux = per(w, x)
    out = {
        "x": x,
        "w": w,
        "reshaped": mb.reshape_batch_axis(x, 4),
        "mean": mb.microbatch(loss, 1, 4, kinds.MEAN)(w, x),
        "runningMean": mb.microbatch(loss, 1, 3, kinds.RUNNING_MEAN)(w, x),
        "mean gradient": jax.grad(mb.microbatch(loss, 1, 4, kinds.MEAN))(w, x),
        "two real": mb.microbatch(loss, 1, 4, num_real_microbatches=2)(w, x),
        "axis 1": mb.microbatch(lambda b: jnp.sum(b, axis=1), 0, 3, in_axes=1)(x.T),
        "vmap": mb.micro_vmap(lambda v: jnp.sin(v), microbatch_size=6)(x),
        "gradient": gradient,
        "values": aux.values,
        "metrics": aux.metrics,
    }
    found = mb.microbatch(both, 0, 4, {"s": kinds.SUM, "all": kinds.CONCAT})(x)
    return out | {"s": found["s"], "all": found["all"]}


def cases():
    return {
        "projections": projection_cases(),
        "algebra": algebra_cases(),
        "perturbations": perturbation_cases(),
        "microbatching": microbatch_cases(),
    }
