/**
 * Every shipped kernel, in the form for GPUs and in that for a CPU, on random shapes: WebAssembly gives the bits that Dawn and a driver
 * give for the same text. JNX_FUZZ=20 tries more shapes; a failure names its seed. Kernels that call `fma` may differ in last bits.
 */
import { readdirSync } from "node:fs";
import { planBits } from "@jnx/kernels-wgsl";
import { adapterName, makeAdapter } from "@jnx/testing";
import { executor, setExecutor, type Executor, type Tensor } from "@jnx/tensor";
import { dotProductAttentionByTiles, requestExecutor } from "@jnx/tensor/internal";
import { wasmExecutor } from "@jnx/wgsl-wasm";
import { init, jax, jnp, lax, nn, random } from "jnx";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limits, runStages } from "../kernels/run-stages.ts";
import { randomOf } from "./compiler-random.ts";

const ROUNDS = Number(process.env["JNX_FUZZ"] ?? 1);
const onWasm = adapterName() === "wasm";
/** Forms of kernels that plans choose between by these. */
const FORMS = {
  "for software adapters": { sequential: false, cheapBarriers: false },
  "for GPUs": { sequential: false, cheapBarriers: true },
  "for a CPU": { sequential: true, cheapBarriers: false },
} as const;

const ran = new Set<string>();
let dawn: Executor | undefined;
let cpu: Executor | undefined;
let before: Executor | undefined;

beforeAll(async () => {
  if (onWasm) {
    await init({ device: "wasm" });
    return;
  }
  const adapter = await makeAdapter();
  before = executor();
  dawn = await requestExecutor(adapter, {});
  cpu = wasmExecutor({ relaxedSimd: false, clampIndices: true });
});
afterAll(() => {
  if (before !== undefined) setExecutor(before);
  dawn?.destroy();
  cpu?.destroy();
});

/** The device with other limits: plans then choose other kernels. */
function withLimits(device: Executor | undefined, limits: object): Executor {
  if (device === undefined || dawn === undefined) throw new Error("no device");
  const own = { ...dawn.limits, ...limits };
  return new Proxy(device, {
    get(target, key: keyof Executor) {
      if (key === "limits") return own;
      const member: unknown = target[key];
      if (typeof member !== "function") return member;
      return (...args: readonly unknown[]): unknown => {
        // What `run` takes.
        if (key === "run") ran.add((args[0] as Parameters<Executor["run"]>[0]).kernel.name);
        if (key === "createProgram")
          // Its steps.
          for (const step of args[0] as Parameters<Executor["createProgram"]>[0])
            if (step.kind === "launch") ran.add(step.kernel.name);
        return Reflect.apply(member, target, args);
      };
    },
  });
}

/** Random shapes and arrays; the same seed makes the same ones on every device. */
class Draw {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = randomOf(seed);
  }

  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** Sometimes a multiple of four, for kernels that read vec4s. */
  extent(most: number): number {
    const n = this.whole(1, most);
    return this.next() < 0.5 ? 4 * Math.ceil(n / 4) : n;
  }

  array(shape: readonly number[]): Tensor {
    const size = shape.reduce((a, b) => a * b, 1);
    return jnp.reshape(jnp.array(Float32Array.from({ length: size }, () => this.next() * 4 - 2)), shape);
  }

  indices(count: number, below: number): Tensor {
    return jnp.array(Int32Array.from({ length: count }, () => this.whole(-below, below - 1)));
  }

  /** A matrix, or one whose memory lies the other way. */
  matrix(rows: number, cols: number): Tensor {
    return this.next() < 0.5 ? this.array([rows, cols]) : this.array([cols, rows]).T;
  }

  /** Well conditioned. */
  square(n: number): Tensor {
    return jnp.add(this.array([n, n]), jnp.multiply(jnp.eye(n), 4 * n));
  }
}

type Program = (draw: Draw) => readonly Tensor[];

function image(d: Draw, groups: number): readonly Tensor[] {
  const [n, side] = [d.whole(3, 4), d.whole(9, 14)];
  const [channels, features] = [d.extent(8) * groups, (8 + d.extent(12)) * groups];
  const x = d.array([n, side, side, channels]);
  const w = d.array([3, 3, channels / groups, features]);
  const options = {
    padding: "SAME",
    windowStrides: [d.whole(1, 2), 1],
    featureGroupCount: groups,
    dimensionNumbers: ["NHWC", "HWIO", "NHWC"],
  } as const;
  const conv = (a: Tensor, b: Tensor): Tensor => lax.convGeneralDilated(a, b, options);
  const loss = (a: Tensor, b: Tensor): Tensor => jnp.sum(jnp.square(conv(a, b)));
  const gradients = jax.grad(loss, { argnums: [0, 1] })(x, w);
  return [conv(x, w), ...gradients.filter((one) => one !== undefined)];
}

/** One feature a group: conv/direct. */
function depthwise(d: Draw): readonly Tensor[] {
  const channels = d.extent(9);
  const options = { featureGroupCount: channels, dimensionNumbers: ["NHWC", "HWIO", "NHWC"] } as const;
  return [lax.convGeneralDilated(d.array([2, 9, 9, channels]), d.array([3, 3, 1, channels]), options)];
}

/** What reaches every kernel; `exact` false where a kernel calls `fma`. */
const PROGRAMS: Readonly<Record<string, { readonly run: Program; readonly exact?: boolean }>> = {
  "products of matrices": {
    exact: false,
    run: (d) => {
      const [m, k, n] = [d.extent(90), d.extent(200), d.extent(130)];
      return [jnp.matmul(d.matrix(m, k), d.matrix(k, n)), jnp.matmul(d.matrix(80, 70), d.matrix(70, 100))];
    },
  },
  "large products": {
    exact: false,
    run: (d) => {
      const a = d.array([264, 1028]);
      return [jnp.matmul(a, d.matrix(1028, 264)), jnp.matmul(a, d.array([1028, 260 + d.whole(0, 4)]))];
    },
  },
  "batched products": {
    exact: false,
    run: (d) => {
      const [z, m, k, n] = [d.whole(2, 3), d.extent(70), d.extent(40), d.extent(80)];
      return [jnp.matmul(d.array([z, m, k]), d.array([z, k, n])), jnp.matmul(d.array([z, 70, 64]), d.array([64, 80]))];
    },
  },
  "products with vectors": {
    exact: false,
    run: (d) => {
      const [m, k] = [200 + d.extent(90), 900 + d.extent(900)];
      const a = d.array([m, k]);
      return [jnp.matmul(a, d.array([k])), jnp.matmul(d.array([2, m]), a), jnp.matmul(d.array([3, k]), a.T)];
    },
  },
  "small products, of few elements and many": {
    exact: false,
    run: (d) => [jnp.matmul(d.matrix(5, 9), d.matrix(9, 7)), jnp.matmul(d.array([6, 3000]), d.array([3000, 8]))],
  },
  convolutions: { exact: false, run: (d) => image(d, 1) },
  "grouped convolutions": { exact: false, run: (d) => [...image(d, 2), ...depthwise(d)] },
  reductions: {
    run: (d) => {
      const x = d.array([d.extent(40), d.extent(70), d.extent(20)]);
      const long = d.array([d.whole(1, 3), 4000 + d.extent(9000)]);
      return [
        ...[0, 1, 2].map((axis) => jnp.sum(x, { axis })),
        ...[jnp.max(x, { axis: [0, 2] }), jnp.prod(x, { axis: 2 }), jnp.any(jnp.greater(x, 1.9), { axis: 1 })],
        ...[jnp.sum(long, { axis: 1 }), jnp.argmax(long, { axis: 1 }), jnp.argmin(x, { axis: 1 })],
      ];
    },
  },
  // Division, which WGSL lets be off by 2.5 units in the last place.
  "walks along lines": {
    exact: false,
    run: (d) => {
      const x = d.array([d.extent(80), d.extent(90)]);
      const norm = (a: Tensor): Tensor => jnp.divide(jnp.subtract(a, jnp.mean(a, { axis: -1, keepdims: true })), 2);
      const softmax = (a: Tensor): Tensor => nn.softmax(a, { axis: -1 });
      return [
        jax.jit(softmax)(x),
        jax.jit(norm)(x),
        jax.jit((a: Tensor) => jax.grad((b: Tensor) => jnp.sum(jnp.square(softmax(b))))(a))(x),
      ];
    },
  },
  "cumulative sums and recurrences": {
    run: (d) => {
      const x = d.array([d.extent(20), d.extent(300)]);
      const product = (a: Tensor): Tensor => jnp.sum(jnp.cumprod(a, { axis: 1 }));
      const near1 = jnp.add(jnp.multiply(x, 0.01), 1);
      return [...[jnp.cumsum(x, { axis: 1 }), jnp.cumsum(x, { axis: 0 }), lax.cummax(x, 1)], jax.grad(product)(near1)];
    },
  },
  // The driver's own exp and log.
  "cumulative logarithms of sums": { exact: false, run: (d) => [lax.cumlogsumexp(d.array([7, d.extent(300)]), 1)] },
  "copies, pads and joins": {
    run: (d) => {
      const x = d.array([d.extent(40), d.extent(60), d.extent(12)]);
      const pad = jnp.pad(x, [
        [d.whole(0, 3), 2],
        [4, 4],
        [0, d.whole(0, 4)],
      ]);
      const turned = [
        [2, 1, 0],
        [0, 2, 1],
        [1, 0, 2],
      ].map((axes) => jax.jit((a: Tensor) => jnp.transpose(a, axes))(x));
      return [
        pad,
        ...turned,
        jnp.concatenate([x, jnp.flip(x, { axis: 1 })], { axis: 1 }),
        lax.dynamicUpdateSlice(x, jnp.ones([1, 4, 2]), [0, 1, 3]),
      ];
    },
  },
  sorts: {
    run: (d) => {
      const x = d.array([d.whole(1, 3), d.whole(2, 3000)]);
      return [
        jnp.sort(x, { axis: 1 }),
        jnp.argsort(x, { axis: 1 }),
        jnp.sort(d.array([d.whole(2, 90), 5]), { axis: 0 }),
      ];
    },
  },
  "indexing and its gradients": {
    run: (d) => {
      const [rows, width, take] = [d.whole(200, 300), 40 + d.extent(40), d.whole(150, 200)];
      const table = d.array([rows, width]);
      const index = d.indices(take, rows);
      const along = jnp.array(Int32Array.from({ length: take * width }, () => d.whole(0, rows - 1)));
      return [
        jnp.take(table, index, { axis: 0 }),
        jnp.take(table, d.indices(7, width), { axis: 1 }),
        jnp.takeAlongAxis(table, jnp.reshape(along, [take, width]), 0),
        jax.grad((t: Tensor) => jnp.sum(jnp.square(jnp.take(t, index, { axis: 0 }))))(table),
        jax.grad((t: Tensor) => jnp.sum(jnp.square(jnp.take(t, d.indices(3, rows), { axis: 0 }))))(d.array([rows, 2])),
      ];
    },
  },
  windows: {
    run: (d) => {
      const x = d.array([d.whole(1, 2), d.whole(6, 17), d.whole(6, 17), d.extent(6)]);
      const pool =
        (...strides: number[]) =>
        (a: Tensor): Tensor =>
          lax.reduceWindow(a, -Infinity, lax.max, [1, 2, 3, 1], [1, ...strides, 1], "SAME");
      const [meeting, apart] = [pool(2, 2), pool(2, d.whole(3, 4))];
      const [, tangent] = jax.jvp(meeting, [x], [d.array(x.shape)]);
      const slopes = [meeting, apart].map((f) => jax.grad((a: Tensor) => jnp.sum(jnp.square(f(a))))(x));
      return [meeting(x), tangent, ...slopes];
    },
  },
  attention: {
    exact: false,
    run: (d) => {
      const [t, s, h] = [d.whole(1, 70), d.whole(1, 90), 4 * d.whole(1, 9)];
      const operands = [d.array([2, t, 2, h]), d.array([2, s, 1, h]), d.array([2, s, 1, h])] as const;
      const bias = d.array([2, t, s]);
      const run = (q: Tensor, k: Tensor, v: Tensor): Tensor =>
        dotProductAttentionByTiles(q, k, v, { bias, isCausal: true });
      const loss = (...xs: [Tensor, Tensor, Tensor]): Tensor => jnp.sum(jnp.square(run(...xs)));
      return [run(...operands), ...jax.grad(loss, { argnums: [0, 1, 2] })(...operands)];
    },
  },
  factorizations: {
    run: (d) => {
      const n = d.whole(2, 40);
      const a = d.square(n);
      const [q, r] = jnp.linalg.qr(d.array([n + 3, n]));
      const s = jnp.add(jnp.multiply(jnp.add(a, a.T), 0.5), jnp.eye(n));
      return [jnp.linalg.cholesky(s), q, r, jnp.linalg.solve(a, d.array([n, 2])), jnp.linalg.det(a)];
    },
  },
  decompositions: {
    run: (d) => {
      const n = d.whole(2, 24);
      const a = d.array([n, n]);
      return [...jnp.linalg.eigh(jnp.add(a, a.T)), ...jnp.linalg.svd(d.array([n + 2, n]))];
    },
  },
  "loops that the device ends": {
    run: (d) => {
      const limit = 50 * d.extent(20);
      const start = jnp.abs(d.array([d.extent(30)]));
      const doubled = lax.whileLoop(
        (x: Tensor) => jnp.less(jnp.max(x), limit),
        (x: Tensor) => jnp.multiply(x, 2),
        start,
      );
      return [doubled];
    },
  },
  "random bits": {
    run: (d) => [
      random.bits(random.key(d.whole(0, 1e6)), [d.extent(5000)]),
      random.uniform(random.key(1), [d.extent(900)]),
    ],
  },
};

/** Words that differ; of inexact results those that differ by more than roundings do. */
async function differing(mine: Tensor, theirs: ArrayLike<number>, exact: boolean): Promise<number> {
  const data = await mine.data();
  expect(data.length).toBe(theirs.length);
  let scale = 1;
  for (let i = 0; i < theirs.length; i++) scale = Math.max(scale, Math.abs(theirs[i] ?? 0));
  let count = 0;
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Number(data[i]), Number(theirs[i])];
    if (Object.is(x, y) || x === y) continue;
    if (exact || !(Math.abs(x - y) <= 4e-6 * scale)) count++;
  }
  return count;
}

describe.skipIf(onWasm)("kernels give Dawn's bits", () => {
  describe.each(Object.entries(FORMS))("%s", (_form, form) => {
    test.each(Object.entries(PROGRAMS))("%s", async (_name, { run, exact = true }) => {
      for (let seed = 1; seed <= ROUNDS; seed++) {
        setExecutor(withLimits(dawn, form));
        const theirs = [];
        for (const result of run(new Draw(seed))) theirs.push(await result.data());
        setExecutor(withLimits(cpu, form));
        const mine = run(new Draw(seed));
        for (const [k, one] of mine.entries()) {
          const other = theirs[k];
          if (other === undefined) throw new Error("results differ in number");
          expect(
            await differing(one, other, exact),
            `seed ${seed}, result ${k} of shape [${one.shape.join(", ")}]`,
          ).toBe(0);
        }
      }
    });
  });

  test("random/bits, which the library computes within maps", async () => {
    const stages = planBits({ count: 999, keys: 2 }, limits).map((stage) => ({ ...stage, operands: [0] }));
    const keys = Uint32Array.of(1, 2, 3, 4);
    const bits = [];
    for (const device of [dawn, cpu]) {
      setExecutor(withLimits(device, {}));
      bits.push(await runStages(stages, [keys], 2 * 999));
    }
    expect(bits[0]).toEqual(bits[1]);
    expect(new Set(bits[0]).size).toBeGreaterThan(1990);
  });

  test("none is left out", () => {
    const folder = new URL("../../packages/kernels-wgsl/src/", import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const kernels = files.filter((file) => file.endsWith(".wgsl") && !file.endsWith("functions.wgsl"));
    const missing = kernels.map((file) => file.slice(0, -".wgsl".length)).filter((name) => !ran.has(name));
    expect(missing).toEqual([]);
  });
});
