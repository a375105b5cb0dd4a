import { adapterName, makeExecutor } from "@jnx/testing";
import type { Executor } from "@jnx/tensor";
import type { DeviceBuffer, Program } from "@jnx/tensor/internal";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mix, mixKernel, mixLaunch, numbers, params, random, upload } from "./kit.ts";

let executor: Executor;
beforeAll(async () => {
  executor = await makeExecutor();
});
afterAll(() => executor.destroy());

const N = 16;

/** Buffers on the device, and what a model without a device says they hold. */
class Model {
  readonly pairs: { buffer: DeviceBuffer; host: Uint32Array }[] = [];
  readonly reads: Promise<void>[] = [];
  private readonly pick: (below: number) => number;
  private readonly program: Program;

  constructor(pick: (below: number) => number, count: number) {
    this.pick = pick;
    for (let i = 0; i < count; i++) this.fresh();
    const step = { kind: "launch", label: "mix", kernel: mixKernel(), grid: [1, 1, 1] } as const;
    this.program = executor.createProgram(
      [
        { ...step, slots: [0, 1], uniforms: [params(N, 5)] },
        { kind: "copy", from: 1, to: 2, bytes: 4 * N },
        { ...step, slots: [2, 0], uniforms: [params(N, 9)] },
      ],
      3,
      "random",
    );
  }

  private data(): Uint32Array {
    return Uint32Array.from({ length: N }, () => this.pick(2 ** 32));
  }

  private fresh(): void {
    const host = this.data();
    this.pairs.push({ buffer: upload(executor, host), host });
  }

  /** Different pairs. */
  private take(count: number): { buffer: DeviceBuffer; host: Uint32Array }[] {
    const rest = [...this.pairs];
    return Array.from({ length: count }, () => rest.splice(this.pick(rest.length), 1)).flat();
  }

  private run(): void {
    const [x, y] = this.take(2);
    if (x === undefined || y === undefined) return;
    const c = this.pick(1000);
    const kernel = this.pick(40) === 0 ? mixKernel() : mix;
    executor.run(mixLaunch(x.buffer, y.buffer, N, c, kernel));
    apply(x.host, y.host, c);
  }

  private replay(): void {
    const [a, b, c] = this.take(3);
    if (a === undefined || b === undefined || c === undefined) return;
    executor.replay(this.program, [a.buffer, b.buffer, c.buffer]);
    apply(a.host, b.host, 5);
    c.host.set(b.host);
    apply(c.host, a.host, 9);
  }

  private other(choice: number): void {
    const [x, y] = this.take(2);
    if (x === undefined || y === undefined) return;
    if (choice === 0) {
      const data = this.data();
      executor.write(x.buffer, data);
      x.host.set(data);
      data.fill(0);
    } else if (choice === 1) {
      executor.write(x.buffer, new Uint32Array([7, 8]), 8);
      x.host.set([7, 8], 2);
    } else if (choice === 2) {
      executor.copy(x.buffer, y.buffer, 4 * N);
      y.host.set(x.host);
    } else if (choice === 3) {
      executor.release(x.buffer);
      this.pairs.splice(this.pairs.indexOf(x), 1);
      this.fresh();
    } else if (choice === 4) this.read(x);
    else if (choice === 5) executor.flush();
    else if (choice === 6) executor.clearCaches();
  }

  read({ buffer, host }: { buffer: DeviceBuffer; host: Uint32Array }): void {
    const expected = host.slice();
    const check = async (): Promise<void> => expect(await numbers(executor, buffer, N)).toEqual(expected);
    this.reads.push(check());
  }

  async step(): Promise<void> {
    const choice = this.pick(20);
    if (choice < 9) this.run();
    else if (choice < 12) this.replay();
    else if (choice < 19) this.other(choice - 12);
    else if (this.pick(4) === 0) await executor.settled();
  }

  async finish(): Promise<void> {
    for (const pair of this.pairs) this.read(pair);
    await Promise.all(this.reads);
    for (const { buffer } of this.pairs) executor.release(buffer);
    this.program.dispose();
  }
}

function apply(x: Uint32Array, y: Uint32Array, c: number): void {
  for (let i = 0; i < N; i++) y[i] = Math.imul(3, x[i] ?? 0) + (y[i] ?? 0) + c;
}

describe("order", () => {
  test.each([1, 2, 3, 4, 5, 6])("random commands give what a model gives, seed %i", async (seed) => {
    const before = executor.memory();
    const model = new Model(random(seed), 6);
    for (let i = 0; i < 400; i++) await model.step();
    await model.finish();
    expect(executor.memory().live).toBe(before.live);
  });

  test("a write does not overtake a queued launch that reads the buffer", async () => {
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(0));
    executor.run(mixLaunch(x, y, 1, 0));
    executor.write(x, Uint32Array.of(100));
    executor.run(mixLaunch(x, y, 1, 0));
    expect([...(await numbers(executor, y, 1))]).toEqual([303]);
    executor.release(x);
    executor.release(y);
  });

  test("a recycled buffer is written after its former use", async () => {
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(0));
    executor.run(mixLaunch(x, y, 1, 0));
    executor.release(x);
    const z = upload(executor, Uint32Array.of(50));
    expect(z.id).not.toBe(x.id);
    expect([...(await numbers(executor, y, 1)), ...(await numbers(executor, z, 1))]).toEqual([3, 50]);
    executor.release(y);
    executor.release(z);
  });

  test.skipIf(adapterName() === "wasm")(
    "commands wait, in order, behind a pipeline that is being compiled, and the event loop goes on",
    async () => {
      const x = upload(executor, Uint32Array.of(1));
      const y = upload(executor, Uint32Array.of(0));
      executor.run(mixLaunch(x, y, 1, 0, mixKernel("cold")));
      executor.write(x, Uint32Array.of(10));
      executor.run(mixLaunch(x, y, 1, 0));
      const before = executor.counters().submits;
      executor.flush();
      expect(executor.counters().submits).toBe(before);
      expect([...(await numbers(executor, y, 1))]).toEqual([33]);
      executor.release(x);
      executor.release(y);
    },
  );

  test.skipIf(adapterName() === "wasm")("a caller that never yields is served by blocking compilation", async () => {
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(0));
    const kernel = mixKernel("cold");
    const before = executor.counters().submits;
    for (let i = 0; i < 5000; i++) executor.run(mixLaunch(x, y, 1, 0, kernel));
    expect(executor.counters().submits).toBeGreaterThan(before);
    expect([...(await numbers(executor, y, 1))]).toEqual([15000]);
    executor.release(x);
    executor.release(y);
  });
});
