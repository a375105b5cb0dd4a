import { grad, jvp, vmap } from "@jnx/autodiff";
import { cond, evalShape, jit, makeJaxpr, scan } from "@jnx/compile";
import { nnx } from "jnx";
import * as t from "@jnx/tensor";
import { ArgumentError, debug, effectsBarrier, type Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

useDevice();

const seen: unknown[] = [];
const see = (x: Tensor): void => debug.callback((value) => seen.push(value), x);
const square = (x: Tensor): Tensor => {
  see(x);
  return t.square(x);
};
const looked = async (): Promise<unknown[]> => {
  await effectsBarrier();
  return seen.splice(0);
};

describe("debug.callback", () => {
  test("is given values, in order, as they were at the call", async () => {
    const x = t.array([1.5, 2]);
    square(x);
    debug.callback((tree, text, flag) => seen.push([tree, text, flag]), { a: [t.add(x, 1), 3] }, "text", true);
    x.dispose();
    expect(await looked()).toEqual([
      [1.5, 2],
      [{ a: [[2.5, 3], 3] }, "text", true],
    ]);
  });

  test("under every transform, and at every call of a compiled function", async () => {
    const x = t.array(1.5);
    grad(square)(x);
    jvp(square, [x], [t.array(1.5)]);
    vmap(square)(t.array([2.5, 3]));
    expect(await looked()).toEqual([1.5, 1.5, 2.5, 3]);
    const f = jit((y: Tensor) => t.add(grad(square)(t.mul(y, 2)), 1));
    expect(await f(x).item()).toBe(7);
    expect(await f(t.array(2.5)).item()).toBe(11);
    expect([await looked(), f.traces]).toEqual([[3, 5], 1]);
    const many = jit(vmap(square));
    expect(await many(t.array([2.5, 3])).toArray()).toEqual([6.25, 9]);
    expect(await looked()).toEqual([2.5, 3]);
  });

  test("beside state that is updated in place, in jit and nnx.jit", async () => {
    const step = jit((w: Tensor) => {
      see(t.sum(w));
      see(w);
      return t.add(w, 1);
    }, { donateArgnums: 0 }); // prettier-ignore
    let w = t.array([1.5, 2.5]);
    for (let k = 0; k < 3; k++) w = step(w);
    expect(await w.toArray()).toEqual([4.5, 5.5]);
    expect(await looked()).toEqual([4, [1.5, 2.5], 6, [2.5, 3.5], 8, [3.5, 4.5]]);
    const count = new nnx.Variable(t.array(1.5));
    const next = nnx.jit((v: nnx.Variable<Tensor>) => {
      see(v.value);
      v.value = t.add(v.value, 1);
    });
    for (let k = 0; k < 3; k++) next(count);
    expect([await count.value.item(), await looked()]).toEqual([4.5, [1.5, 2.5, 3.5]]);
  });

  test("not where only shapes are asked for, and not in bodies on the device", async () => {
    evalShape(square, t.array(1.5));
    makeJaxpr(square)(t.array(1.5));
    expect(await looked()).toEqual([]);
    expect(() =>
      scan((c: Tensor, x: Tensor) => [t.add(c, square(x)), null] as const, t.array(0.5), t.ones([3])),
    ).toThrow(/debug.callback: cannot be called in the function that scan was given.*return the value/);
    expect(() => cond(t.array(true), square, (x: Tensor) => x, t.array(1.5))).toThrow(ArgumentError);
    const wrong = 3 as never; // on purpose
    expect(() => debug.callback(wrong)).toThrow(ArgumentError);
  });

  test("what a callback throws is thrown by effectsBarrier, once", async () => {
    const shown = vi.spyOn(console, "error").mockImplementation(() => undefined);
    debug.callback(() => {
      throw new Error("mine");
    }, t.array(1));
    see(t.array(2));
    await expect(effectsBarrier()).rejects.toThrow("mine");
    expect([shown.mock.calls.length, await looked()]).toEqual([1, [2]]);
    shown.mockRestore();
  });
});

describe("debug.print", () => {
  const log = vi.spyOn(console, "log");
  beforeEach(() => log.mockClear().mockImplementation(() => undefined));
  afterEach(() => log.mockReset());

  test("fills a format", async () => {
    debug.print("loss {} after {n} steps, {n:.1f} {{}} {0}", t.array(0.1), { n: 3 });
    jit((x: Tensor) => {
      debug.print("x = {x:.2f}, {x}", { x });
      return x;
    })(t.array([1.5, 0.333]));
    debug.print("plain");
    await effectsBarrier();
    expect(log.mock.calls.flat()).toEqual([
      "loss 0.1 after 3 steps, 3.0 {} 0.1",
      "x = [1.50, 0.33], [1.5, 0.333]",
      "plain",
    ]);
  });

  test("refuses a format that asks for what is not there", () => {
    expect(() => debug.print("{} {}", 1)).toThrow(/\{\} asks for argument 1, of 1/);
    expect(() => debug.print("{x}")).toThrow(ArgumentError);
    expect(() => debug.print("a } b")).toThrow(/a single \} in "a \} b"/);
    expect(() => debug.print("{0:>8}", 1)).toThrow(/cannot read \{0:>8\}/);
  });
});
