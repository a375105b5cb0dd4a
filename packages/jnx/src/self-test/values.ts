/** Known answers of single functions: what drivers get wrong by themselves, and random numbers that the real JAX drew. */
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { numbers, total, type Expected, type KnownAnswer } from "./check.ts";

const { random } = t;

/** NaN, infinities, arguments that are huge or tiny. */
const AWKWARD = [-Infinity, -1e30, -100, -3.5, -1, -0, 0, 1e-20, 0.5, 1, 2, 10, 88, 1e30, Infinity, NaN].map(
  Math.fround,
);

const functions: readonly (readonly [(x: Tensor) => Tensor, (x: number) => number])[] = [
  [t.exp, Math.exp],
  [t.log, Math.log],
  [t.tanh, Math.tanh],
  [t.sin, Math.sin],
  [t.sqrt, Math.sqrt],
  [(x) => t.maximum(x, 1), (x) => Math.max(x, 1)],
  [(x) => t.clip(x, 0, 1), (x) => Math.max(0, Math.min(x, 1))],
  [(x) => t.where(t.isnan(x), 7, x), (x) => (Number.isNaN(x) ? 7 : x)],
];

function awkward(): readonly Expected[] {
  const x = t.array(Float32Array.from(AWKWARD));
  // Fused into one kernel, where compilers are boldest.
  const results = jit((v: Tensor) => functions.map(([f]) => f(v)))(x);
  return results.map((got, k) => ({ got, want: AWKWARD.map(functions[k]?.[1] ?? Number) }));
}

function wholeNumbers(): readonly Expected[] {
  const int = (...values: number[]): Tensor => t.array(Int32Array.from(values));
  const saturated = t.astype(t.array(Float32Array.of(NaN, Infinity, -Infinity, 3e9, -1.9)), "int32");
  return [
    { got: t.laxDiv(int(7, -7, 7, -2147483648), int(0, 2, -2, -1)), want: [-1, -3, -3, -2147483648] },
    { got: t.rem(int(7, -7, 7), int(0, 2, -2)), want: [7, -1, 1] },
    { got: t.leftShift(int(1, 7, 7), int(31, 32, 33)), want: [-2147483648, 0, 0] },
    { got: t.shiftRightArithmetic(int(-8, -8), int(1, 40)), want: [-4, -1] },
    { got: t.mul(int(65537), int(65537)), want: [131073] },
    { got: saturated, want: [0, 2147483647, -2147483648, 2147483647, -1] },
  ];
}

function packed(): readonly Expected[] {
  const x = t.array(Float32Array.of(1.003, -1.005, 65519, 1e-7, NaN));
  return [
    { got: t.astype(t.astype(x, "bfloat16"), "float32"), want: [1, -1.0078125, 65536, 1.0011717677116394e-7, NaN] },
    {
      got: t.astype(t.astype(x, "float16"), "float32"),
      want: [1.0029296875, -1.0048828125, 65504, 1.1920928955078125e-7, NaN],
    },
  ];
}

function reductions(): readonly Expected[] {
  const data = numbers(10_007, 1);
  const x = t.array(data);
  const rows = t.reshape(t.array(data.slice(0, 10_000)), [100, 100]);
  const line = (k: number): number[] => Array.from(data.slice(k * 100, k * 100 + 100));
  const lines = Array.from({ length: 100 }, (_, k) => k);
  const compiled = jit((v: Tensor) => [t.sum(v, { axis: 1 }), t.max(v, { axis: 0 }), t.logsumexp(v, { axis: 1 })]);
  const [sums = x, peaks = x, logs = x] = compiled(rows);
  return [
    { got: t.sum(x), want: [total(data)], terms: 1024 },
    { got: sums, want: lines.map((k) => total(line(k))), terms: 64 },
    { got: peaks, want: lines.map((k) => Math.max(...lines.map((r) => data[r * 100 + k] ?? 0))) },
    { got: logs, want: lines.map((k) => Math.log(total(line(k).map(Math.exp)))) },
    { got: t.max(t.array(Float32Array.of(1, NaN, 3))), want: [NaN] },
    { got: t.argmax(t.array(Float32Array.of(1, 3, NaN, 3))), want: [2] },
  ];
}

function order(): readonly Expected[] {
  const data = [3, NaN, -0, 1, Infinity, 1, -Infinity, 0];
  const x = t.array(Float32Array.from(data));
  const whole = Array.from({ length: 200 }, (_, k) => k);
  const counted = jit((at: Tensor, more: Tensor) => t.at(t.zeros([3]), at).add(more));
  const [sorted = x, places = x] = jit((v: Tensor) => [t.sort(v), t.argsort(v)])(x);
  return [
    { got: sorted, want: [-Infinity, -0, 0, 1, 1, 3, Infinity, NaN] },
    { got: places, want: [6, 2, 7, 3, 5, 0, 4, 1] },
    { got: t.cumsum(t.array(whole)), want: whole.map((k) => (k * (k + 1)) / 2) },
    { got: t.take(x, t.array([0, -1, 3, 99])), want: [3, 0, 1, NaN] },
    { got: counted(t.array([0, 2, 2]), t.array(Float32Array.of(1, 2, 3))), want: [1, 0, 5] },
  ];
}

/** Of `jax.random.key(1701)`, jax 0.10.2. */
function draws(): readonly Expected[] {
  const key = random.key(1701);
  return [
    {
      got: random.bits(key, [8]),
      want: [1111271205, 2679469115, 974515252, 521976754, 2127438447, 4120601916, 260271764, 598044107],
    },
    { got: random.keyData(random.split(key)), want: [741045208, 1847055613, 85238482, 2594297577] },
    {
      got: random.uniform(key, [6]),
      want: [
        0.2587379217147827, 0.6238625049591064, 0.2268970012664795, 0.12153208255767822, 0.49533283710479736,
        0.959402322769165,
      ],
    },
    {
      got: random.normal(key, [6]),
      want: [
        -0.6472411155700684, 0.3156411051750183, -0.7491047382354736, -1.167362093925476, -0.01169903390109539,
        1.7437922954559326,
      ],
    },
    { got: random.permutation(key, 8), want: [1, 6, 5, 4, 0, 2, 7, 3] },
  ];
}

export const values: readonly KnownAnswer[] = [
  { name: "functions at NaN, infinities and huge arguments", within: 4, run: awkward },
  { name: "whole numbers: by zero, shifts, overflow, saturation", within: 0, run: wholeNumbers },
  { name: "float16 and bfloat16, rounded half to even", within: 0, run: packed },
  { name: "reductions", within: 4, run: reductions },
  { name: "sorting, scans and indices", within: 0, run: order },
  { name: "random numbers, as JAX draws them", within: 2, run: draws },
];
