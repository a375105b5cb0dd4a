// Idle workers touch memory before it is needed: how far they go, and that nothing in it changes.
import { describe, expect, test } from "vitest";
import { CELL, MESSAGE, MESSAGE_BYTES, PAGE } from "../../packages/wgsl-wasm/src/runtime/layout.ts";
import { LinearMemory } from "../../packages/wgsl-wasm/src/runtime/linear-memory.ts";
import { pageToucher } from "../../packages/wgsl-wasm/src/runtime/worker.ts";

const MIB = 2 ** 20;

function toucher(memory: WebAssembly.Memory): () => boolean {
  return pageToucher({
    memory,
    cell: CELL,
    index: 0,
    message: MESSAGE,
    messageBytes: MESSAGE_BYTES,
    spins: 0,
    programSpins: 0,
    page: PAGE,
  });
}

function allTouches(touch: () => boolean): number {
  let count = 0;
  while (touch()) count++;
  return count;
}

describe("memory that is touched ahead", () => {
  test("begins past the last block, ends 8 MiB on, and is touched once", () => {
    const linear = new LinearMemory(true);
    const touch = toucher(linear.memory);
    expect(allTouches(touch)).toBe(0);
    linear.take(3 * MIB);
    expect(allTouches(touch)).toBe((8 * MIB) / PAGE);
    expect(allTouches(touch)).toBe(0);
    linear.take(MIB);
    expect(allTouches(touch)).toBe(MIB / PAGE);
    // More than was touched: what is past it comes next.
    linear.take(40 * MIB);
    expect(allTouches(touch)).toBe((8 * MIB) / PAGE);
    expect(linear.memory.buffer.byteLength).toBeGreaterThanOrEqual(52 * MIB);
  });

  test("a block that comes again brings no more of it", () => {
    const linear = new LinearMemory(true);
    const touch = toucher(linear.memory);
    const address = linear.take(MIB);
    allTouches(touch);
    linear.give(address ?? 0, MIB);
    linear.take(MIB);
    expect(allTouches(touch)).toBe(0);
  });

  test("keeps what was written there meanwhile", () => {
    const linear = new LinearMemory(true);
    const touch = toucher(linear.memory);
    linear.take(MIB);
    const words = new Int32Array(linear.memory.buffer);
    const first = Atomics.load(words, CELL.fresh) * (PAGE / 4);
    for (let k = 0; k < (8 * MIB) / 4; k++) words[first + k] = k ^ 0x5a5a5a5a;
    allTouches(touch);
    for (let k = 0; k < (8 * MIB) / 4; k += 1024)
      expect([words[first + k], words[first + k + 1]]).toEqual([k ^ 0x5a5a5a5a, (k + 1) ^ 0x5a5a5a5a]);
  });

  test("is none where memory is not shared: nobody is there to touch it", () => {
    const linear = new LinearMemory(false);
    linear.take(100);
    expect(linear.memory.buffer.byteLength).toBeLessThan(8 * MIB);
  });
});
