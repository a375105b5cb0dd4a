import { makeExecutor } from "@jnx/testing";
import type { Executor } from "@jnx/tensor";
import type { DeviceBuffer } from "@jnx/tensor/internal";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sizeClass } from "../../packages/tensor/src/device/pool.ts";
import { blocksIn, slabClass, Slabs } from "../../packages/tensor/src/device/slabs.ts";
import { mixKernel, mixLaunch, numbers, params, random, upload } from "./kit.ts";

const MIB = 2 ** 20;

interface Piece {
  readonly bytes: number;
  readonly slab: number;
}

/** Slabs of made-up memory, and the numbers of those destroyed. */
function madeUp(): { slabs: Slabs<Piece>; gone: number[]; take: (bytes: number, apart: readonly Piece[]) => Piece } {
  const gone: number[] = [];
  const slabs = new Slabs<Piece>((pieces) => gone.push(pieces[0]?.slab ?? -1));
  let made = 0;
  const take = (bytes: number, apart: readonly Piece[]): Piece => {
    const size = slabClass(bytes) ?? 0;
    const found = slabs.take(size, apart);
    if (found !== undefined) return found;
    made++;
    slabs.add(Array.from({ length: blocksIn(size, 16) }, () => ({ bytes: size, slab: made })));
    return slabs.take(size, apart) ?? { bytes: 0, slab: -1 };
  };
  return { slabs, gone, take };
}

/** Free bytes that may be kept. */
const LIMIT = 8 * MIB;

describe("slabs", () => {
  test("have blocks that are size classes, aligned as bindings must be, up to 64 KiB", () => {
    for (let bytes = 1; bytes <= 65_536; bytes += 61) {
      const size = slabClass(bytes) ?? 0;
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(size % 256).toBe(0);
      expect(sizeClass(size)).toBe(size);
      expect(blocksIn(size, 0) * size).toBeLessThanOrEqual(65_536);
      expect(blocksIn(size, 12)).toBeGreaterThanOrEqual(12);
      expect(blocksIn(size, 10_000) * size).toBeLessThanOrEqual(MIB);
    }
  });

  test("of blocks over 64 KiB hold as many as there are, up to 16 MiB; over 4 MiB there are none", () => {
    for (const bytes of [65_537, 300_000, MIB, 4 * MIB]) {
      const size = slabClass(bytes) ?? 0;
      expect(sizeClass(size)).toBe(size);
      expect([0, 1, 3].map((existing) => blocksIn(size, existing))).toEqual([0, 1, 3]);
      expect(blocksIn(size, 10_000) * size).toBeLessThanOrEqual(16 * MIB);
      expect((blocksIn(size, 10_000) + 1) * size).toBeGreaterThan(16 * MIB);
    }
    expect(slabClass(4 * MIB + 1)).toBeUndefined();
  });

  test("a block lies in no slab of those it is asked apart from, and is given out once", () => {
    const { take, slabs } = madeUp();
    const pick = random(2);
    const held: Piece[] = [];
    for (let i = 0; i < 5000; i++) {
      if (held.length > 300) slabs.give(held.splice(pick(held.length), 1)[0] ?? { bytes: 0, slab: 0 }, LIMIT);
      const apart = held.length === 0 ? [] : [0, 1, 2].flatMap(() => held[pick(held.length)] ?? []);
      const piece = take(200 + pick(3) * 300, apart);
      expect(held).not.toContain(piece);
      expect(apart.map(({ slab }) => slab)).not.toContain(piece.slab);
      held.push(piece);
    }
  });

  test("count their free bytes, keep few of them when all is given back, and none when trimmed", () => {
    const { take, slabs, gone } = madeUp();
    const held = Array.from({ length: 1000 }, () => take(60_000, []));
    for (const piece of held) slabs.give(piece, LIMIT);
    expect(slabs.bytes).toBeLessThanOrEqual(LIMIT + MIB);
    expect(gone.length).toBeGreaterThan(40);
    slabs.trim();
    expect(slabs.bytes).toBe(0);
    expect(new Set(gone).size).toBe(gone.length);
  });

  test("one of which a block is in use is not destroyed", () => {
    const { take, slabs, gone } = madeUp();
    const [kept, other] = [take(100, []), take(100, [])];
    slabs.give(other, LIMIT);
    slabs.trim();
    expect(gone).toEqual([]);
    slabs.give(kept, LIMIT);
    slabs.trim();
    expect(gone).toEqual([1]);
  });
});

describe.each([true, false])("parts of buffers, their offsets immediates where there are some: %s", (immediates) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await makeExecutor({ immediates });
  });
  afterAll(() => executor.destroy());

  const N = 50;

  test("do what whole buffers do: launches that clash, copies, writes, programs, in any order", async () => {
    const pick = random(3);
    const kernel = mixKernel("program");
    const program = executor.createProgram(
      [
        { kind: "launch", label: "a", kernel, grid: [1, 1, 1], slots: [0, 1], uniforms: [params(N, 7)] },
        { kind: "launch", label: "b", kernel, grid: [1, 1, 1], slots: [1, 2], uniforms: [params(N, 9)] },
        { kind: "copy", from: 0, to: 3, bytes: 4 * N },
      ],
      4,
      "parts",
    );
    interface Pair {
      readonly buffer: DeviceBuffer;
      values: Uint32Array;
    }
    const make = (apart: readonly DeviceBuffer[]): Pair => {
      const values = Uint32Array.from({ length: N }, () => pick(1000));
      const buffer = executor.allocate(4 * N, "part", apart);
      executor.write(buffer, values);
      return { buffer, values };
    };
    const mixed = (x: Uint32Array, y: Uint32Array, c: number): Uint32Array => y.map((v, i) => 3 * (x[i] ?? 0) + v + c);
    const pairs = Array.from({ length: 8 }, () => make([]));
    for (let turn = 0; turn < 600; turn++) {
      const order = pairs.map((_, k) => ({ k, by: pick(1000) })).sort((a, b) => a.by - b.by);
      const [a, b, c, d] = order.flatMap(({ k }) => pairs[k] ?? []);
      if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error("too few buffers");
      const what = pick(5);
      if (what <= 1) {
        executor.run(mixLaunch(a.buffer, b.buffer, N, turn));
        b.values = mixed(a.values, b.values, turn);
      } else if (what === 2) {
        executor.copy(a.buffer, b.buffer, 4 * N);
        b.values = a.values.slice();
      } else if (what === 3) {
        executor.replay(
          program,
          [a, b, c, d].map(({ buffer }) => buffer),
        );
        d.values = a.values.slice();
        b.values = mixed(a.values, b.values, 7);
        c.values = mixed(b.values, c.values, 9);
      } else {
        const at = pairs.indexOf(a);
        executor.release(a.buffer);
        pairs[at] = make(turn % 2 === 0 ? [] : [b.buffer]);
      }
    }
    const read = await Promise.all(pairs.map(({ buffer }) => numbers(executor, buffer, N)));
    expect(read.map((data) => [...data])).toEqual(pairs.map(({ values }) => [...values]));
    await executor.settled();
  });

  test("share bind groups: a chain in fresh memory needs few buffers and few groups", async () => {
    const chain = async (): Promise<number> => {
      let x = upload(executor, new Uint32Array(N));
      const all = [x];
      for (let i = 0; i < 300; i++) {
        const y = executor.allocate(4 * N, "y", [x]);
        executor.write(y, new Uint32Array(N));
        executor.run(mixLaunch(x, y, N, 1));
        all.push((x = y));
      }
      const [first] = await numbers(executor, x, 1);
      for (const buffer of all) executor.release(buffer);
      return first ?? 0;
    };
    await chain();
    const before = executor.counters();
    let expected = 0;
    for (let i = 0; i < 300; i++) expected = (3 * expected + 1) % 2 ** 32;
    expect(await chain()).toBe(expected);
    const after = executor.counters();
    expect(after.bufferCreations - before.bufferCreations).toBeLessThanOrEqual(4);
    expect(after.bindGroups - before.bindGroups).toBeLessThanOrEqual(16);
  });

  test("are written two at a time, though both lie in one buffer", async () => {
    const code = `
      @group(0) @binding(1) var<storage, read_write> a: array<u32>;
      @group(0) @binding(2) var<storage, read_write> b: array<u32>;
      @compute @workgroup_size(1) fn main() { a[0] = b[0] + 1u; b[b[1]] = a[a[1]]; }`;
    const bindings = ["a", "b"].map((name, k) => ({ group: 0, binding: k + 1, name, access: "read_write" }) as const);
    const kernel = { name: "two", code, bindings };
    const [a, b] = [executor.allocate(8, "a", []), executor.allocate(8, "b", [])];
    executor.write(a, Uint32Array.of(0, 1));
    executor.write(b, Uint32Array.of(7, 0));
    executor.run({ label: "two", kernel, buffers: [a, b], uniforms: [], grid: [1, 1, 1] });
    expect([...(await numbers(executor, a, 2))]).toEqual([8, 1]);
    expect([...(await numbers(executor, b, 2))]).toEqual([1, 0]);
    for (const buffer of [a, b]) executor.release(buffer);
  });

  test("go back and are destroyed; the limit counts them", async () => {
    executor.clearCaches();
    const before = executor.memory();
    const held = Array.from({ length: 100 }, () => executor.allocate(1000, "part", []));
    expect(executor.memory().live - before.live).toBe(100 * 1024);
    for (const buffer of held) executor.release(buffer);
    expect(executor.memory().live).toBe(before.live);
    executor.clearCaches();
    expect(executor.memory().pooled).toBe(before.pooled);
    const small = await makeExecutor({ memoryLimit: 100 * 1024 });
    const few = Array.from({ length: 20 }, () => small.allocate(4096, "small", []));
    expect(small.memory().live).toBe(20 * 4096);
    for (const buffer of few) small.release(buffer);
    small.destroy();
  });

  test("of large blocks double what there is, are reused, and keep no more than poolLimit", async () => {
    const own = await makeExecutor({ poolLimit: 4 * MIB });
    const results = (count: number): DeviceBuffer[] =>
      Array.from({ length: count }, () => own.allocate(MIB, "large", []));
    const made = own.counters().bufferCreations;
    const held = results(64);
    // 1, 1, 2, 4 and so on, up to 16 at once; on the CPU all memory is one piece, and no part of it dear.
    expect(own.counters().bufferCreations - made).toBe(own.info.kind === "webgpu" ? 8 : 64);
    expect(own.memory()).toMatchObject({ live: 64 * MIB, pooled: 0 });
    for (const buffer of held.splice(0, 32)) own.release(buffer);
    held.push(...results(32));
    expect(own.memory()).toMatchObject({ live: 64 * MIB });
    for (const buffer of held) own.release(buffer);
    expect(own.memory().live).toBe(0);
    expect(own.memory().pooled).toBeLessThanOrEqual(4 * MIB);
    own.clearCaches();
    expect(own.memory().pooled).toBe(0);
    own.destroy();
  });
});
