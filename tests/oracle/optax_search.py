"""L-BFGS, line searches, sophia and CTC: what needs derivatives or loops of its own."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from optax_more import START

SCALES = np.array([[1.0, 10.0], [3.0, 0.5]], np.float32)


def value_fn(p):
    """A valley: not quadratic, with the leaves tied."""
    return jnp.sum(SCALES * (p["w"] - 1) ** 2) + jnp.sum(p["b"] ** 4) + 0.1 * jnp.sum(p["w"]) * jnp.sum(p["b"])


def searched(tx, steps=8):
    """Parameters, step lengths and evaluations of a search."""
    params, rows, infos = jax.tree.map(jnp.asarray, START), [], []
    state = tx.init(params)
    for _ in range(steps):
        value, grad = jax.value_and_grad(value_fn)(params)
        updates, state = tx.update(grad, state, params, value=value, grad=grad, value_fn=value_fn)
        params = optax.apply_updates(params, updates)
        rows.append(np.concatenate([np.ravel(params["b"]), np.ravel(params["w"])]))
        found = optax.tree.get(state, "learning_rate")
        count = optax.tree.get(state, "num_linesearch_steps")
        infos.append([0 if found is None else found, 0 if count is None else count])
    return {"params": np.stack(rows), "info": np.array(infos, np.float32)}


def second_order(tx, steps=5):
    params, rows = jax.tree.map(jnp.asarray, START), []
    state = tx.init(params)
    for _ in range(steps):
        grad = jax.grad(value_fn)(params)
        updates, state = tx.update(grad, state, params, obj_fn=value_fn)
        params = optax.apply_updates(params, updates)
        rows.append(np.concatenate([np.ravel(params["b"]), np.ravel(params["w"])]))
    return np.stack(rows)


def cases():
    o = optax
    descent = o.scale(-1.0)
    return {
        "start": START,
        "lbfgs": searched(o.lbfgs()),
        "lbfgs memory": searched(o.lbfgs(memory_size=2, scale_init_precond=False)),
        "lbfgs no search": searched(o.lbfgs(0.1, memory_size=3, linesearch=None)),
        "lbfgs backtracking": searched(o.lbfgs(linesearch=o.scale_by_backtracking_linesearch(15, store_grad=True))),
        "zoom keep": searched(o.chain(descent, o.scale_by_zoom_linesearch(15, max_learning_rate=1.0))),
        "zoom strict": searched(
            o.chain(descent, o.scale_by_zoom_linesearch(20, curv_rtol=0.05, approx_dec_rtol=None, increase_factor=4.0))
        ),
        "zoom few": searched(o.chain(o.scale(-30.0), o.scale_by_zoom_linesearch(2, initial_guess_strategy="one"))),
        "backtracking": searched(
            o.chain(descent, o.scale_by_backtracking_linesearch(20, decrease_factor=0.5, increase_factor=2.0, rtol=0.01))
        ),
        "sophia": second_order(o.contrib.sophia(0.05, update_interval=2, gamma=0.5, weight_decay=0.01)),
        "sophia unclipped": second_order(o.contrib.sophia(0.001, clip_threshold=None, update_interval=1, eps=0.1)),
        "ctc": ctc(),
        "fenchel_young": fenchel_young(),
    }


def ctc():
    rng = np.random.default_rng(8)
    logits = rng.normal(size=(3, 6, 5)).astype(np.float32)
    labels = np.array([[1, 1, 2], [4, 3, 0], [2, 0, 0]], np.int32)
    label_pads = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 1]], np.float32)
    pads = np.zeros((3, 6), np.float32)
    pads[1, 4:] = 1
    f = lambda x, blank: o_ctc(x, pads, labels, label_pads, blank_id=blank)  # noqa: E731
    loss, phi, emit = optax.losses.ctc_loss_with_forward_probs(logits, pads, labels, label_pads)
    return {
        "logits": logits, "labels": labels, "label_pads": label_pads, "pads": pads,
        "loss": loss, "phi": phi, "emit": emit,
        "gradient": jax.grad(lambda x: jnp.sum(f(x, 0)))(jnp.asarray(logits)),
        "other blank": f(logits, 3),
    }  # fmt: skip


o_ctc = optax.losses.ctc_loss


def fenchel_young():
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(2, 3, 4)).astype(np.float32), rng.normal(size=(2, 3, 4)).astype(np.float32)
    f = optax.losses.make_fenchel_young_loss(jax.scipy.special.logsumexp)
    return {"x": x, "y": y, "value": f(x, y), "gradient": jax.grad(lambda a: jnp.sum(f(a, y)))(jnp.asarray(x))}
