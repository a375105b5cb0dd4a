import { executor } from "@jnx/tensor";
import type { Launch } from "@jnx/tensor/internal";

/** An expression of WGSL over x and y, whose values come from memory, so that no compiler knows them beforehand. */
interface Probe {
  /** What it stands for in the table. */
  readonly shown: string;
  readonly wgsl: string;
  readonly result: "f32" | "i32" | "bool";
  readonly x: number;
  readonly y?: number;
}

/** Where drivers err or WGSL leaves things open, and how jnx goes round it. */
export interface Fault {
  readonly probes: readonly Probe[];
  readonly wayRound: string;
}

const float = (shown: string, wgsl: string, x: number, y?: number): Probe => {
  return { shown, wgsl, result: "f32", x, ...(y !== undefined && { y }) };
};
const whole = (shown: string, wgsl: string, x: number, y?: number): Probe => {
  return { ...float(shown, wgsl, x, y), result: "i32" };
};

export const FAULTS: readonly Fault[] = [
  {
    probes: [
      { shown: "NaN != NaN", wgsl: "x != x", result: "bool", x: NaN },
      float("max(NaN, 1)", "max(x, y)", NaN, 1),
      float("clamp(NaN, 0, 1)", "clamp(x, 0.0, y)", NaN, 1),
    ],
    wayRound: "NaN is told by its bits, and taken through by `select`",
  },
  {
    probes: [float("inf - inf", "x - x", Infinity)],
    wayRound: "a difference is a sum with the negative, made by its bits",
  },
  { probes: [float("tanh(100)", "tanh(x)", 100)], wayRound: "XLA's polynomials instead" },
  {
    probes: [float("log(0)", "log(x)", 0), float("log(-1)", "log(x)", -1)],
    wayRound: "taken apart by its bits; zeros, infinities and negative numbers apart",
  },
  {
    probes: [
      float("pow(0, 0)", "pow(x, y)", 0, 0),
      float("pow(-2, 2)", "pow(x, y)", -2, 2),
      float("pow(-8, 1/3)", "pow(x, y)", -8, 1 / 3),
    ],
    wayRound: "the power of the magnitude; signs and special cases by rule",
  },
  { probes: [float("sin(1e30)", "sin(x)", 1e30)], wayRound: "arguments are reduced exactly before a polynomial" },
  {
    probes: [
      whole("7 / 0", "i32(x) / i32(y)", 7, 0),
      whole("7 % 0", "i32(x) % i32(y)", 7, 0),
      whole("7 << 33", "i32(x) << u32(y)", 7, 33),
    ],
    wayRound: "XLA's results, by `select`",
  },
  {
    probes: [whole("i32(inf)", "i32(x)", Infinity), whole("i32(NaN)", "i32(x)", NaN)],
    wayRound: "casts saturate, NaN gives 0",
  },
];

/** What each probe gives on the device in use, by `shown`. */
export async function probeFaults(): Promise<Record<string, string>> {
  const probes = FAULTS.flatMap((fault) => fault.probes);
  const device = executor();
  const bytes = probes.length * 4;
  const from = device.allocate(2 * bytes, "faults");
  const to = device.allocate(bytes, "faults", [from]);
  device.write(from, new Float32Array(probes.flatMap(({ x, y = 0 }) => [x, y])));
  device.run({ label: "faults", kernel: kernelOf(probes), buffers: [from, to], uniforms: [], grid: [1, 1, 1] });
  const bits = new DataView(await device.read(to, bytes));
  device.release(from);
  device.release(to);
  return Object.fromEntries(probes.map(({ shown, result }, k) => [shown, valueOf(bits, 4 * k, result)]));
}

function kernelOf(probes: readonly Probe[]): Launch["kernel"] {
  const lines = probes.map(({ wgsl, result }, k) => {
    const bits = result === "bool" ? `select(0u, 1u, ${wgsl})` : `bitcast<u32>(${wgsl})`;
    return `  { let x = x0[${2 * k}u]; let y = x0[${2 * k + 1}u]; y0[${k}u] = ${bits}; }`;
  });
  return {
    name: "faults",
    code: `@group(0) @binding(0) var<storage, read> x0: array<f32>;
@group(0) @binding(1) var<storage, read_write> y0: array<u32>;
@compute @workgroup_size(1) fn main() {
${lines.join("\n")}
}
`,
    bindings: [
      { group: 0, binding: 0, name: "x0", access: "read" },
      { group: 0, binding: 1, name: "y0", access: "read_write" },
    ],
  };
}

function valueOf(bits: DataView, at: number, result: Probe["result"]): string {
  if (result === "bool") return String(bits.getUint32(at, true) === 1);
  if (result === "i32") return String(bits.getInt32(at, true));
  const value = bits.getFloat32(at, true);
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value).replace("Infinity", "inf");
}
