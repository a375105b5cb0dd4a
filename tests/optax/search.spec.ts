/** L-BFGS, line searches, sophia, CTC and Fenchel-Young losses against the real Optax. */
import { grad, valueAndGrad } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as optax from "@jnx/optax";
import { add, array, logsumexp, mul, square, sub, sum, tree, type Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

const file = "optax-search";

interface Params {
  readonly b: Tensor;
  readonly w: Tensor;
}

function given(...path: readonly string[]): Tensor {
  const { data, shape } = goldenArray(file, ...path);
  return array(data as Float32Array | Int32Array, { shape }); // what the scripts write
}

function start(): Params {
  return { b: given("start", "b"), w: given("start", "w") };
}

const scales = (): Tensor =>
  array([
    [1, 10],
    [3, 0.5],
  ]);

const valueFn = (p: Params): Tensor =>
  add(add(sum(mul(scales(), square(sub(p.w, 1)))), sum(square(square(p.b)))), mul(0.1, mul(sum(p.w), sum(p.b))));

type Any = optax.GradientTransformation;

function any<S>(tx: optax.GradientTransformation<S>): Any {
  return tx as Any; // given back only the state that it made
}

const descent = (): Any => any(optax.scale(-1));

const searches: Readonly<Record<string, () => Any>> = {
  lbfgs: () => any(optax.lbfgs()),
  "lbfgs memory": () => any(optax.lbfgs(null, { memorySize: 2, scaleInitPrecond: false })),
  "lbfgs no search": () => any(optax.lbfgs(0.1, { memorySize: 3, linesearch: null })),
  "lbfgs backtracking": () =>
    any(
      optax.lbfgs(null, {
        linesearch: any(optax.scaleByBacktrackingLinesearch({ maxBacktrackingSteps: 15, storeGrad: true })),
      }),
    ),
  "zoom keep": () =>
    any(optax.chain(descent(), any(optax.scaleByZoomLinesearch({ maxLinesearchSteps: 15, maxLearningRate: 1 })))),
  "zoom strict": () =>
    any(
      optax.chain(
        descent(),
        any(
          optax.scaleByZoomLinesearch({
            maxLinesearchSteps: 20,
            curvRtol: 0.05,
            approxDecRtol: null,
            increaseFactor: 4,
          }),
        ),
      ),
    ),
  "zoom few": () =>
    any(
      optax.chain(
        any(optax.scale(-30)),
        any(optax.scaleByZoomLinesearch({ maxLinesearchSteps: 2, initialGuessStrategy: "one" })),
      ),
    ),
  backtracking: () =>
    any(
      optax.chain(
        descent(),
        any(
          optax.scaleByBacktrackingLinesearch({
            maxBacktrackingSteps: 20,
            decreaseFactor: 0.5,
            increaseFactor: 2,
            rtol: 0.01,
          }),
        ),
      ),
    ),
};

async function expectRow(values: unknown, path: readonly string[], row: number, tolerance = 2e-4): Promise<void> {
  const { data, shape } = goldenArray(file, ...path);
  const width = shape[1] ?? 0;
  const parts = await Promise.all(tree.leaves(values).map((leaf) => array(leaf as Tensor).data())); // trees of arrays
  parts
    .flatMap((part) => Array.from(part))
    .forEach((value, k) => {
      const wanted = data[row * width + k] ?? Number.NaN;
      expect(Math.abs(value - wanted), `${path.join(" ")} ${row}, ${k}: ${value} for ${wanted}`).toBeLessThanOrEqual(
        tolerance * (1 + Math.abs(wanted)),
      );
    });
}

// A compiled step: the search runs on the device, and its state goes from call to call.
function searching(tx: Any): (params: Params, state: unknown) => [Params, unknown] {
  return jit((params: Params, state: unknown): [Params, unknown] => {
    const [value, gradient] = valueAndGrad(valueFn)(params);
    const [updates, next] = tx.update(gradient, state, params, { value, grad: gradient, valueFn });
    return [optax.applyUpdates(params, updates), next];
  });
}

describe("searches", () => {
  it.each(Object.entries(searches))("%s", async (name, make) => {
    const tx = make();
    const step = searching(tx);
    let [params, state]: [Params, unknown] = [start(), tx.init(start())];
    for (let k = 0; k < 8; k++) {
      [params, state] = step(params, state);
      await expectRow(params, [name, "params"], k);
      const rate = optax.tree.get(state, "learningRate");
      const count = optax.tree.get(state, "numLinesearchSteps");
      if (rate !== undefined) await expectRow([rate, count], [name, "info"], k, 1e-3);
    }
  });

  it("without jit, and with the value and gradient of the search before", async () => {
    const tx = any(optax.lbfgs());
    const known = optax.valueAndGradFromState(valueFn);
    let [params, state]: [Params, unknown] = [start(), tx.init(start())];
    for (let k = 0; k < 2; k++) {
      const [value, gradient] = known(params, state);
      const [updates, next] = tx.update(gradient, state, params, { value, grad: gradient, valueFn });
      [params, state] = [optax.applyUpdates(params, updates), next];
      await expectRow(params, ["lbfgs", "params"], k);
    }
  });

  it("mistakes are named", () => {
    const tx = optax.lbfgs();
    const params = start();
    expect(() => tx.update(params, tx.init(params))).toThrow(/needs the parameters/);
    expect(() => tx.update(params, tx.init(params), params)).toThrow(/needs the function and what it gave/);
    expect(() => optax.lbfgs(null, { memorySize: 0 })).toThrow(/memorySize must be a whole number/);
    const strategy = "two" as never; // the case
    expect(() => optax.scaleByZoomLinesearch({ maxLinesearchSteps: 1, initialGuessStrategy: strategy })).toThrow(
      /"keep" or "one"/,
    );
    expect(() => optax.valueAndGradFromState(valueFn)(params, optax.adam(1).init(params))).toThrow(/no value and grad/);
  });
});

describe("sophia", () => {
  const cases: Readonly<Record<string, () => Any>> = {
    sophia: () => any(optax.contrib.sophia(0.05, { updateInterval: 2, gamma: 0.5, weightDecay: 0.01 })),
    "sophia unclipped": () => any(optax.contrib.sophia(0.001, { clipThreshold: null, updateInterval: 1, eps: 0.1 })),
  };
  it.each(Object.entries(cases))("%s", async (name, make) => {
    const tx = make();
    const step = jit((params: Params, state: unknown): [Params, unknown] => {
      const [updates, next] = tx.update(grad(valueFn)(params), state, params, { objFn: valueFn });
      return [optax.applyUpdates(params, updates), next];
    });
    let [params, state]: [Params, unknown] = [start(), tx.init(start())];
    for (let k = 0; k < 5; k++) {
      [params, state] = step(params, state);
      await expectRow(params, [name], k);
    }
    expect(() => tx.update(start(), tx.init(start()), start())).toThrow(/objFn/);
  });
});

async function expectClose(found: Tensor, ...path: readonly string[]): Promise<void> {
  const { data, shape } = goldenArray(file, ...path);
  expect(found.shape, path.join(" ")).toEqual(shape);
  Array.from(await found.data()).forEach((value, k) => {
    const wanted = data[k] ?? Number.NaN;
    expect(Math.abs(value - wanted), `${path.join(" ")} ${k}: ${value} for ${wanted}`).toBeLessThanOrEqual(
      3e-5 * (1 + Math.abs(wanted)),
    );
  });
}

describe("losses", () => {
  const paddings = (): [Tensor, Tensor, Tensor] => [
    given("ctc", "pads"),
    given("ctc", "labels"),
    given("ctc", "label_pads"),
  ];

  it("ctcLoss: value, forward probabilities, gradient, another blank", async () => {
    const logits = given("ctc", "logits");
    const [loss, phi, emit] = optax.ctcLossWithForwardProbs(logits, ...paddings());
    await expectClose(loss, "ctc", "loss");
    await expectClose(phi, "ctc", "phi");
    await expectClose(emit, "ctc", "emit");
    const total = (x: Tensor): Tensor => sum(optax.ctcLoss(x, ...paddings()));
    await expectClose(grad(total)(logits), "ctc", "gradient");
    await expectClose(jit(grad(total))(logits), "ctc", "gradient");
    await expectClose(optax.ctcLoss(logits, ...paddings(), { blankId: 3 }), "ctc", "other blank");
    expect(() => optax.ctcLoss(logits, given("ctc", "labels"), given("ctc", "labels"), given("ctc", "pads"))).toThrow(
      /takes logits \[batch, frames, classes\]/,
    );
  });

  it("makeFenchelYoungLoss and its gradient", async () => {
    const loss = optax.makeFenchelYoungLoss((scores) => logsumexp(scores));
    const [x, y] = [given("fenchel_young", "x"), given("fenchel_young", "y")];
    await expectClose(loss(x, y), "fenchel_young", "value");
    await expectClose(grad((a: Tensor) => sum(loss(a, y)))(x), "fenchel_young", "gradient");
  });
});
