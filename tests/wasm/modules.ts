/** Kernels made by hand, byte by byte: they test the runtime without the compiler. */
import type { LinkedKernel } from "@jnx/kernels-wgsl";
import type { CompiledKernel, CompileOptions } from "@jnx/wgsl-wasm";

const leb = (value: number): number[] => {
  const out: number[] = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    out.push(value === 0 ? low : low | 0x80);
  } while (value !== 0);
  return out;
};
const section = (id: number, body: readonly number[]): number[] => [id, ...leb(body.length), ...body];
const text = (value: string): number[] => [...leb(value.length), ...new TextEncoder().encode(value)];

// Parameters of `run`, then its locals.
const BEGIN = 0;
const END = 1;
const SCRATCH = 5;
const TABLE = 6;
const I = 7;
const K = 8;

const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const constant = (value: number): number[] => [0x41, ...leb(value)];
const load = (offset = 0): number[] => [0x28, 2, ...leb(offset)];
const store = (offset = 0): number[] => [0x36, 2, ...leb(offset)];
const add = [0x6a];
const times4 = [...constant(2), 0x74];
const pointer = (binding: number): number[] => [...get(TABLE), ...load(8 * binding)];

/** for (local = from; local < to; local++) body */
const loop = (local: number, from: readonly number[], to: readonly number[], body: readonly number[]): number[] => [
  ...[...from, ...set(local)],
  ...[0x02, 0x40, 0x03, 0x40],
  ...[...get(local), ...to, 0x4f, 0x0d, 1],
  ...body,
  ...[...get(local), ...constant(1), ...add, ...set(local), 0x0c, 0],
  ...[0x0b, 0x0b],
];

function assemble(code: readonly number[], shared: boolean): Uint8Array<ArrayBuffer> {
  const i32 = 0x7f;
  const body = [1, 2, i32, ...code, 0x0b];
  const memory = shared ? [3, 1, ...leb(65536)] : [0, 1];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 7, i32, i32, i32, i32, i32, i32, i32, 0]),
    ...section(2, [1, ...text("env"), ...text("memory"), 2, ...memory]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text("run"), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

const eachGroup = (body: readonly number[]): number[] => loop(I, get(BEGIN), get(END), body);
const element = (binding: number): number[] => [...pointer(binding), ...get(I), ...times4, ...add];
const parameter = (index: number): number[] => [...pointer(0), ...load(4 * index)];

/** Bodies by the first word of a kernel's text. */
const BODIES: Readonly<Record<string, number[]>> = {
  // y[i] = 3 x[i] + y[i] + p[0], after p[1] turns of doing nothing.
  mix: eachGroup([
    ...loop(K, constant(0), parameter(1), [...get(SCRATCH), ...get(K), ...store(32)]),
    ...element(2),
    ...[...element(1), ...load(), ...constant(3), 0x6c],
    ...[...element(2), ...load(), ...add],
    ...[...parameter(0), ...add],
    ...store(),
  ]),
  // y[i] = x[i]; slow, by p[1] turns, on all threads but the one whose scratch is at p[0].
  late: eachGroup([
    ...loop(
      K,
      constant(0),
      [...parameter(1), ...constant(3000), ...get(SCRATCH), ...parameter(0), 0x47, 0x1b],
      [...get(SCRATCH), ...get(K), ...store(32)],
    ),
    ...[...element(2), ...element(1), ...load(), ...store()],
  ]),
  // Traps in workgroup p[0].
  trap: eachGroup([...get(I), ...parameter(0), 0x46, 0x04, 0x40, 0x00, 0x0b]),
  // As a kernel with clamped indices that left its third binding.
  fault: [...get(SCRATCH), ...constant(3), ...store()],
  // Writes which thread it is on, by the address of its scratch, after p[1] turns of doing nothing.
  who: eachGroup([
    ...loop(K, constant(0), parameter(1), [...get(SCRATCH), ...get(K), ...store(32)]),
    ...[...element(2), ...get(SCRATCH), ...store()],
  ]),
  // Writes what it finds in its scratch, which all threads must have for themselves.
  scratch: eachGroup([
    ...[...get(SCRATCH), ...get(I), ...store(32)],
    ...loop(K, constant(0), constant(1000), [...get(SCRATCH), ...get(SCRATCH), ...load(32), ...store(32)]),
    ...[...element(2), ...get(SCRATCH), ...load(32), ...store()],
  ]),
};

const BINDINGS = [
  { group: 0, binding: 0, name: "p", access: "uniform" },
  { group: 0, binding: 1, name: "x", access: "read" },
  { group: 1, binding: 0, name: "y", access: "read_write" },
] as const;

let made = 0;

/** A kernel of its own; `body` is one of the names above. */
export function kernelOf(body: string): LinkedKernel {
  return {
    name: body,
    code: `${body} ${made++}`,
    bindings: BINDINGS.map((binding) => ({
      ...binding,
      ...(binding.access === "uniform" ? { layout: { bytes: 8, fields: [] } } : {}),
    })),
  };
}

/** In place of the compiler. */
export function handCompile(code: string, options: CompileOptions): CompiledKernel {
  const body = BODIES[code.split(" ")[0] ?? ""];
  if (body === undefined) throw new Error(`no body ${code}`);
  return {
    bytes: assemble(body, options.sharedMemory),
    bindings: BINDINGS.map((binding) => ({ ...binding, byteStride: 4 })),
    workgroupSize: [1, 1, 1],
    scratchBytes: 48,
  };
}
