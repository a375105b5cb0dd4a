import { describe, expect, test } from "vitest";
import { counters, jnp, memory, nnx, optax, random, type Tensor } from "jnx";
import { useOwnDevice } from "@jnx/testing";

class MLP extends nnx.Module {
  readonly hidden: nnx.Linear;
  readonly dropout: nnx.Dropout;
  readonly out: nnx.Linear;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.hidden = new nnx.Linear(64, 32, { rngs });
    this.dropout = new nnx.Dropout(0.1, { rngs });
    this.out = new nnx.Linear(32, 10, { rngs });
  }
  call(x: Tensor): Tensor {
    return this.out.call(this.dropout.call(nnx.relu(this.hidden.call(x))));
  }
}

function trainStep(model: MLP, optimizer: nnx.Optimizer<MLP>, x: Tensor, y: Tensor): Tensor {
  const lossFn = (model: MLP): Tensor => jnp.mean(optax.softmaxCrossEntropyWithIntegerLabels(model.call(x), y));
  const [loss, grads] = nnx.valueAndGrad(lossFn)(model);
  optimizer.update(model, grads);
  return loss;
}

function setUp(): { model: MLP; optimizer: nnx.Optimizer<MLP>; x: Tensor; y: Tensor } {
  const model = new MLP({ rngs: new nnx.Rngs(0) });
  const optimizer = new nnx.Optimizer(model, optax.adam(1e-3), { wrt: nnx.Param });
  return { model, optimizer, x: random.normal(random.key(1), [16, 64]), y: random.randint(random.key(2), [16], 0, 10) };
}

// Each on a device of its own: what one leaves for the collector is not counted in the other.
/** Five hundred steps take a software adapter most of a minute when the machine has other work. */
const LONG = 180_000;

describe("five hundred training steps without a dispose call, compiled", () => {
  useOwnDevice();

  test(
    "jitted: bytes alive after step 20 are those after step 500",
    async () => {
      const { model, optimizer, x, y } = setUp();
      const step = nnx.jit(trainStep);
      const live: number[] = [];
      let made = 0;
      for (let n = 1; n <= 500; n++) {
        const loss = step(model, optimizer, x, y);
        await loss.item();
        if (n === 20) made = counters().pipelines;
        if (n === 20 || n === 500) live.push(memory().live);
      }
      expect(live[1]).toBe(live[0]);
      expect(counters().pipelines, "no pipeline after the first steps").toBe(made);
      expect(step.traces).toBe(1);
    },
    LONG,
  );
});

describe("five hundred training steps without a dispose call, eager", () => {
  useOwnDevice();

  test(
    "eager: bytes alive after step 500 are within a step's gradients of those after step 20",
    async () => {
      const { model, optimizer, x, y } = setUp();
      const live: number[] = [];
      for (let n = 1; n <= 500; n++) {
        await trainStep(model, optimizer, x, y).item();
        if (n === 20 || n === 500) live.push(memory().live);
      }
      // Stricter than the promise of twice a step's bytes: a step makes activations and temporaries besides.
      expect((live[1] ?? 0) - (live[0] ?? 0)).toBeLessThanOrEqual(parameterBytes(model));
    },
    LONG,
  );
});

function parameterBytes(model: MLP): number {
  let bytes = 0;
  for (const [, variable] of nnx.toFlatState(nnx.state(model, nnx.Param)))
    bytes += (variable as nnx.Param).value.nbytes; // the filter gives Params
  return bytes;
}
