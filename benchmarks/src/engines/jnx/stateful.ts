/** T7, T8 and T9 as a user of nnx writes them: modules, an Optimizer, nnx.jit. */
import type { Tensor, nnx as Nnx } from "jnx";
import { input, type TrainTask } from "../../tasks/index.ts";
import { block, mlpSizes } from "../../tasks/training.ts";
import { entry, need } from "../engine.ts";
import { upload, type Jnx } from "./engine.ts";
import { meanLoss, type Training } from "./training.ts";

interface Network extends Nnx.Module {
  call(x: Tensor): Tensor;
}

/** A module, the loss of what it gives, and its Variables by the task's names. */
interface Model {
  readonly module: Network;
  loss(result: Tensor, y: Tensor): Tensor;
  readonly variables: Readonly<Record<string, Nnx.Param>>;
}

function mlp(jnx: Jnx): Model {
  const { nnx, nn } = jnx;
  const rngs = new nnx.Rngs(0);
  const layer = (l: 1 | 2 | 3): Nnx.Linear => new nnx.Linear(mlpSizes[l - 1] ?? 0, mlpSizes[l] ?? 0, { rngs });
  class Mlp extends nnx.Module {
    readonly one = layer(1);
    readonly two = layer(2);
    readonly three = layer(3);
    call(x: Tensor): Tensor {
      return this.three.call(nn.relu(this.two.call(nn.relu(this.one.call(x)))));
    }
  }
  const module = new Mlp();
  const { one, two, three } = module;
  const variables = { ...named(one, "w1", "b1"), ...named(two, "w2", "b2"), ...named(three, "w3", "b3") };
  return { module, loss: (logits, y) => meanLoss(jnx, logits, y), variables };
}

function named(
  { kernel, bias }: { readonly kernel: Nnx.Param; readonly bias: Nnx.Param | null },
  w: string,
  b: string,
): Record<string, Nnx.Param> {
  return { [w]: kernel, [b]: need(bias, "bias") };
}

function cnn(jnx: Jnx): Model {
  const { nnx, nn, jnp } = jnx;
  const rngs = new nnx.Rngs(0);
  class Cnn extends nnx.Module {
    readonly one = new nnx.Conv(1, 16, [3, 3], { rngs });
    readonly two = new nnx.Conv(16, 32, [3, 3], { rngs });
    readonly out = new nnx.Linear(1568, 10, { rngs });
    call(x: Tensor): Tensor {
      const pool = (h: Tensor): Tensor => nnx.maxPool(nn.relu(h), [2, 2], { strides: [2, 2] });
      const h = pool(this.two.call(pool(this.one.call(x))));
      return this.out.call(jnp.reshape(h, [h.shape[0] ?? 0, -1]));
    }
  }
  const module = new Cnn();
  const variables = {
    ...named(module.one, "k1", "b1"),
    ...named(module.two, "k2", "b2"),
    ...named(module.out, "w", "b"),
  };
  return { module, loss: (logits, y) => meanLoss(jnx, logits, y), variables };
}

function transformer(jnx: Jnx): Model {
  const { nnx, nn, jnp } = jnx;
  const rngs = new nnx.Rngs(0);
  const { batch, length, width, heads, depth, hidden } = block;
  class Block extends nnx.Module {
    readonly norm1 = new nnx.LayerNorm(width, { epsilon: 1e-5, rngs });
    readonly qkv = new nnx.Linear(width, 3 * width, { rngs });
    readonly out = new nnx.Linear(width, width, { rngs });
    readonly norm2 = new nnx.LayerNorm(width, { epsilon: 1e-5, rngs });
    readonly up = new nnx.Linear(width, hidden, { rngs });
    readonly down = new nnx.Linear(hidden, width, { rngs });
    call(x: Tensor): Tensor {
      const parts = jnp.split(this.qkv.call(this.norm1.call(x)), 3, { axis: -1 });
      const [q, k, v] = parts.map((part) => jnp.reshape(part, [batch, length, heads, depth]));
      const attended = nn.dotProductAttention(need(q, "q"), need(k, "k"), need(v, "v"), { isCausal: true });
      const h = jnp.add(x, this.out.call(jnp.reshape(attended, [batch, length, width])));
      return jnp.add(h, this.down.call(nn.gelu(this.up.call(this.norm2.call(h)))));
    }
  }
  const module = new Block();
  const variables = {
    ...{ ln1s: need(module.norm1.scale, "scale"), ln1b: need(module.norm1.bias, "bias") },
    ...named(module.qkv, "wqkv", "bqkv"),
    ...named(module.out, "wo", "bo"),
    ...{ ln2s: need(module.norm2.scale, "scale"), ln2b: need(module.norm2.bias, "bias") },
    ...named(module.up, "wf1", "bf1"),
    ...named(module.down, "wf2", "bf2"),
  };
  return { module, loss: (result) => jnp.mean(jnp.square(result)), variables };
}

export function openStateful(jnx: Jnx, task: TrainTask): Training {
  const { nnx, optax, jnp } = jnx;
  const recipes = {
    T7: { model: () => mlp(jnx), tx: optax.adam(1e-3) },
    T8: { model: () => cnn(jnx), tx: optax.sgd(0.05) },
    T9: { model: () => transformer(jnx), tx: optax.sgd(0.1) },
  };
  const recipe = entry<(typeof recipes)["T7"]>(recipes, task, "jnx-nnx");
  const { module, loss, variables } = recipe.model();
  const inputs = task.inputs();
  for (const name of task.params) need(variables[name], `Variable ${name}`).value = upload(jnx, input(inputs, name));
  const x = upload(jnx, input(inputs, "x"));
  const y = inputs["y"] === undefined ? jnp.zeros([]) : upload(jnx, inputs["y"]);
  const optimizer = new nnx.Optimizer(module, recipe.tx, { wrt: nnx.Param });
  const step = nnx.jit((m: Network, o: typeof optimizer, xs: Tensor, ys: Tensor): Tensor => {
    const [value, grads] = nnx.valueAndGrad((model: Network) => loss(model.call(xs), ys))(m);
    o.update(m, grads);
    return value;
  });
  return {
    step: () => step(module, optimizer, x, y),
    param: (name) => variables[name]?.value,
  };
}
