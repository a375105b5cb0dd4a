import { Bytes } from "./bytes.ts";
import type { ValueType } from "./ops.ts";

const TYPES: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };
const MAX_PAGES = 65536;

/** A module that imports env.memory and exports one function `run` of `parameters` i32s. */
export function encodeModule(
  code: Uint8Array,
  locals: readonly ValueType[],
  parameters: number,
  sharedMemory: boolean,
): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  out.bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  section(out, 1, (to) => {
    to.bytes([1, 0x60]);
    to.unsigned(parameters);
    for (let k = 0; k < parameters; k++) to.byte(TYPES.i32);
    to.byte(0);
  });
  section(out, 2, (to) => {
    to.byte(1);
    to.text("env");
    to.text("memory");
    to.bytes(sharedMemory ? [2, 3, 1] : [2, 0, 1]);
    if (sharedMemory) to.unsigned(MAX_PAGES);
  });
  section(out, 3, (to) => to.bytes([1, 0]));
  section(out, 7, (to) => {
    to.byte(1);
    to.text("run");
    to.bytes([0, 0]);
  });
  section(out, 10, (to) => {
    to.byte(1);
    const body = new Bytes();
    const runs = runsOf(locals);
    body.unsigned(runs.length);
    for (const { type, count } of runs) {
      body.unsigned(count);
      body.byte(TYPES[type]);
    }
    body.bytes(code);
    body.byte(0x0b);
    to.sized(body);
  });
  return out.done();
}

function section(out: Bytes, id: number, write: (to: Bytes) => void): void {
  const content = new Bytes();
  write(content);
  out.byte(id);
  out.sized(content);
}

function runsOf(locals: readonly ValueType[]): { type: ValueType; count: number }[] {
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  return runs;
}
