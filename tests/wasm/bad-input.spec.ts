/** Texts that are wrong, through the executor and the real compiler: an error names op, kernel, place and rule; the rest goes on. */
import { init, jnp } from "jnx";
import { KernelError, OutOfMemoryError, executor as current } from "@jnx/tensor";
import type { Executor } from "@jnx/tensor";
import { wasmExecutor } from "@jnx/wgsl-wasm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const HEAD = `@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
var<workgroup> w: array<f32, 8>;
@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) l: vec3u) {
`;
const BINDINGS = [
  { group: 0, binding: 0, name: "x", access: "read" },
  { group: 0, binding: 1, name: "y", access: "read_write" },
] as const;

/** Runs the body on eight threes and gives back the eight results. */
async function run(executor: Executor, name: string, body: string): Promise<number[]> {
  const buffers = [0, 1].map((k) => executor.allocate(32, `operand ${k}`));
  const [x, y] = buffers;
  if (x === undefined || y === undefined) throw new Error("two buffers are needed");
  executor.write(x, new Float32Array(8).fill(3));
  const kernel = { name, code: `${HEAD}${body}\n}`, bindings: BINDINGS };
  executor.run({ label: `op of ${name}`, kernel, buffers, uniforms: [], grid: [1, 1, 1] });
  try {
    return [...new Float32Array(await executor.read(y, 32))];
  } finally {
    for (const buffer of buffers) executor.release(buffer);
  }
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(KernelError);
  return error instanceof Error ? error.message : "";
}

const RIGHT = "y[id.x] = x[id.x] + 1.0;";

describe("a kernel that is wrong", () => {
  let plain: Executor;
  let checked: Executor;
  beforeAll(() => {
    plain = wasmExecutor({ threads: 2 });
    checked = wasmExecutor({ threads: 2, clampIndices: true });
  });
  afterAll(() => {
    plain.destroy();
    checked.destroy();
  });

  test.each([
    ["outside", "switch (id.x) { default: { } }", 5, 1, "unsupported"],
    ["typed", "y[id.x] = 1u;", 5, 1, "type"],
    ["early", "if (l.x > 3u) { return; }\nworkgroupBarrier();\ny[id.x] = w[0];", 5, 1, "early-return"],
    ["branch", "  if (l.x > 3u) { workgroupBarrier(); }", 5, 3, "barrier"],
    ["uneven", "for (var i = 0u; i < l.x; i++) { workgroupBarrier(); }", 5, 1, "uniformity"],
    ["indexed", "var a: array<f32, 4>; y[id.x] = a[id.x];", 5, 34, "private-array"],
  ])(
    "%s: its op, its name, the place and the rule are told, and the next one runs",
    async (name, body, line, column, rule) => {
      const message = await messageOf(run(plain, name, body));
      expect(message).toContain(`op of ${name}: kernel ${name} does not compile: ${line}:${column}: `);
      expect(message).toContain(`[${rule}]`);
      expect(message).toContain(body.split("\n")[0]?.trim());
      expect(await run(plain, "right", RIGHT)).toEqual(new Array(8).fill(4));
    },
  );

  test.each([
    ["load", "y[id.x] = x[id.x + 4u];", "x"],
    ["store", "y[id.x * 2u] = x[id.x];", "y"],
    ["scratch", "w[l.x + 1u] = 1.0; y[id.x] = w[l.x];", "number"],
  ])("a guard that is missing before a %s is found by clamped indices", async (name, body, binding) => {
    const message = await messageOf(run(checked, name, body));
    expect(message).toMatch(new RegExp(`^op of ${name}: kernel ${name} failed, .*it went beyond ${binding}`));
    expect(await run(checked, "right", RIGHT)).toEqual(new Array(8).fill(4));
  });
});

describe("what is larger than its place", () => {
  const kernelOf = (length: number) =>
    ({
      name: "large",
      code: `struct P { a: array<vec4u, ${length}> }
@group(0) @binding(0) var<uniform> p: P;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1) fn main() { y[0] = p.a[${length - 1}].x; }`,
      bindings: [
        { group: 0, binding: 0, name: "p", access: "uniform", layout: { bytes: length * 16, fields: [] } },
        { group: 0, binding: 1, name: "y", access: "read_write" },
      ],
    }) as const;

  test("uniforms up to WebGPU's 64 KiB touch nothing else, more than there is room for are refused", async () => {
    const executor = wasmExecutor({ threads: 1 });
    const first = executor.allocate(64, "first");
    const y = executor.allocate(16, "y");
    executor.write(first, new Uint32Array(16).fill(7));
    const launch = (length: number): void =>
      executor.run({
        label: "op",
        kernel: kernelOf(length),
        buffers: [y],
        uniforms: [new Uint8Array(length * 16).fill(1)],
        grid: [1, 1, 1],
      });
    launch(4096);
    expect(new Uint32Array(await executor.read(y, 4))[0]).toBe(0x01010101);
    expect([...new Uint32Array(await executor.read(first, 64))]).toEqual(new Array(16).fill(7));
    expect(() => launch(8000)).toThrow(/^op: kernel large has 128000 bytes of uniforms, over 122880/);
    executor.destroy();
  });

  test("workgroup memory for which there is no memory is an error of that op, and gone when there is some", async () => {
    const executor = wasmExecutor({ threads: 1 });
    const held = [];
    for (let size = 2 ** 29; size >= 64; size /= 2)
      for (;;) {
        try {
          held.push(executor.allocate(size, "hoard"));
        } catch (error) {
          if (error instanceof OutOfMemoryError) break;
          throw error;
        }
      }
    const y = held.at(-1);
    if (y === undefined) throw new Error("nothing was allocated");
    const code = `var<workgroup> w: array<vec4f, 4000>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { w[3999] = vec4f(2.0); y[0] = w[3999].x + w[0].x; }`;
    const kernel = {
      name: "wide",
      code,
      bindings: [{ group: 0, binding: 0, name: "y", access: "read_write" }],
    } as const;
    const launch = (): void => executor.run({ label: "op", kernel, buffers: [y], uniforms: [], grid: [1, 1, 1] });
    launch();
    const error: unknown = await executor.read(y, 4).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(String(error)).toMatch(/op: kernel wide failed, .*out of memory for the 64000 bytes of workgroup memory/);
    const [large] = held;
    if (large !== undefined) executor.release(large);
    executor.clearCaches();
    launch();
    expect(new Float32Array(await executor.read(y, 4))[0]).toBe(2);
    executor.destroy();
  });
});

// Elsewhere the tests' device is not the CPU.
test.runIf(process.env["JNX_ADAPTER"] === "wasm")(
  "what does not fit is an error that says so, and a device that is gone is followed by another",
  async () => {
    await init({ device: "wasm" });
    // Nobody touches these pages, so they cost addresses only.
    const fill = (): void => {
      for (let k = 0; k < 8; k++) current().allocate(2 ** 29, "hoard");
    };
    expect(fill).toThrow(OutOfMemoryError);
    expect(() => jnp.arange(2 ** 27)).toThrow(/iota: out of device memory.*hoard/s);
    current().destroy();
    const info = await init({ device: "wasm" });
    expect(info.kind).toBe("wasm");
    expect(await jnp.sum(jnp.arange(10)).item()).toBe(45);
  },
);
