/** Runs library functions on the device, several in one pipeline, so that a test of all compiles in seconds. */
import { executor } from "@jnx/tensor";
import type { LinkedKernel, WgslFunction } from "@jnx/kernels-wgsl";

type Kind = "F" | "I" | "U" | "B";

/** A call to try: a library function, and the inputs it reads by number. */
export interface Call {
  readonly fn: WgslFunction;
  readonly inputs: readonly number[];
}

const ALIASES = {
  1: "alias F = f32;\nalias I = i32;\nalias U = u32;\nalias B = bool;",
  4: "alias F = vec4f;\nalias I = vec4i;\nalias U = vec4u;\nalias B = vec4<bool>;",
} as const;
const GROUP = 64;
/** Calls in one pipeline: the time to compile one grows faster than its length. */
const CALLS = 12;

/** One bit pattern per element for each call; every input has the same length. Bools come out as 0 and 1. */
export async function runFunctions(
  calls: readonly Call[],
  inputs: readonly Uint32Array[],
  width: 1 | 4,
): Promise<Uint32Array[]> {
  const n = inputs[0]?.length ?? 0;
  const padded = Math.ceil(n / 4) * 4;
  const all = new Uint32Array(padded * inputs.length);
  inputs.forEach((input, k) => all.set(input, k * padded));
  const device = executor();
  const from = device.allocate(all.byteLength, "functions");
  device.write(from, all);
  const results: Uint32Array[] = [];
  for (let first = 0; first < calls.length; first += CALLS) {
    const some = calls.slice(first, first + CALLS);
    const kernel = kernelOf(some, padded / width, width);
    const bytes = padded * some.length * 4;
    const to = device.allocate(bytes, "functions");
    const grid = [Math.ceil(padded / width / GROUP), 1, 1] as const;
    device.run({ label: "functions", kernel, buffers: [from, to], uniforms: [], grid });
    const out = new Uint32Array(await device.read(to, bytes));
    device.release(to);
    results.push(...some.map((_, k) => out.slice(k * padded, k * padded + n)));
  }
  device.release(from);
  return results;
}

function kernelOf(calls: readonly Call[], n: number, width: 1 | 4): LinkedKernel {
  const sources = new Map<string, string>();
  const collect = (fn: WgslFunction): void => {
    fn.uses.forEach(collect);
    sources.set(fn.name, fn.source);
  };
  calls.forEach(({ fn }) => collect(fn));
  const lines = calls.map((call, k) => `  y0[${k * n}u + i] = ${asBits(call, n)};`);
  const code = [
    ALIASES[width],
    "@group(0) @binding(0) var<storage, read> x0: array<U>;",
    "@group(0) @binding(1) var<storage, read_write> y0: array<U>;",
    ...sources.values(),
    `@compute @workgroup_size(${GROUP}) fn main(@builtin(global_invocation_id) id: vec3u) {`,
    "  let i = id.x;",
    `  if (i >= ${n}u) { return; }`,
    ...lines,
    "}",
  ].join("\n");
  return {
    name: "functions",
    code,
    bindings: [
      { group: 0, binding: 0, name: "x0", access: "read" },
      { group: 0, binding: 1, name: "y0", access: "read_write" },
    ],
  };
}

/** The call with operands read from x0 by the kinds in the function's own signature, its result as bits. */
function asBits({ fn, inputs }: Call, n: number): string {
  const { parameters, result } = signature(fn);
  const operands = parameters.map((kind, k) => operand(kind, `x0[${(inputs[k] ?? 0) * n}u + i]`));
  const call = `${fn.name}(${operands.join(", ")})`;
  if (result === "B") return `select(U(0u), U(1u), ${call})`;
  return result === "U" ? call : `bitcast<U>(${call})`;
}

function operand(kind: Kind, bits: string): string {
  if (kind === "B") return `(${bits} != U(0u))`;
  return kind === "U" ? bits : `bitcast<${kind}>(${bits})`;
}

function signature(fn: WgslFunction): { parameters: Kind[]; result: Kind } {
  const match = /^fn \w+\(([^)]*)\) -> ([FIUB]) /.exec(fn.source.replace(/\s+/g, " "));
  const [, parameters, result] = match ?? [];
  if (parameters === undefined || result === undefined) {
    throw new Error(`runFunctions: ${fn.name} has no signature over F, I, U and B`);
  }
  return {
    parameters: [...parameters.matchAll(/: ([FIUB])/g)].map(([, kind]) => kindOf(kind)),
    result: kindOf(result),
  };
}

function kindOf(letter: string | undefined): Kind {
  if (letter === "F" || letter === "I" || letter === "U" || letter === "B") return letter;
  throw new Error(`runFunctions: no kind ${letter}`);
}
