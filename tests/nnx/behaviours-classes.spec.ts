/** Modules as trees, dataclasses, and classes with private members; by the names of Flax's own tests. */
import { array, ones, tree, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { jax } from "jnx";
import { describe, expect, it } from "vitest";
import { block } from "./block.ts";

useDevice();

describe("private members", () => {
  class Hidden extends nnx.Module {
    readonly w = new nnx.Param(ones([1]));
    #calls = 0; // "#text" in comments and texts is none
    readonly text = "a #text";
    call(): number {
      return ++this.#calls;
    }
    #twice(): number {
      return 2 * this.#calls;
    }
    get doubled(): number {
      return this.#twice();
    }
  }
  class Below extends Hidden {}

  it("a copy would lack them: the error names class, members and remedy", () => {
    const model = new Hidden();
    const message = /^Hidden: .* private members #calls, #twice; write "private calls" .* \[nnx.makeEmpty\]/;
    expect(() => nnx.clone(model)).toThrow(message);
    expect(() => nnx.merge(...nnx.split(model))).toThrow(message);
    expect(() => nnx.view(new Below(), {})).toThrow(/^Below: .*#calls, #twice of Hidden/);
    expect(() => nnx.jit(() => new Hidden())()).toThrow(message);
    class Plain extends nnx.Module {
      readonly text = "this.#text";
      // #comment = 1;
      read(): string {
        return `${this.text} #template`;
      }
    }
    expect(nnx.clone(new Plain()).read()).toBe("this.#text #template");
  });

  it("work as they are where nothing is copied", async () => {
    const model = new Hidden();
    const step = nnx.jit((m: Hidden) => {
      m.w.value = m.w.add(m.call());
      return m;
    });
    expect(step(model) === model).toBe(true);
    expect(nnx.grad((m: Hidden) => m.w.sum())(model).w.shape).toEqual([1]);
    expect([await model.w.value.item(), model.doubled]).toEqual([2, 2]);
  });

  it("makeEmpty says how an instance is made; its fields are those of what is copied", async () => {
    class Counter extends Hidden {
      readonly size: number;
      extra?: string = "made";
      constructor(size: number) {
        super();
        this.size = size;
      }
      static override [nnx.makeEmpty](): Counter {
        return new this(0);
      }
    }
    const model = new Counter(3);
    model.call();
    delete model.extra;
    const copy = nnx.clone(model);
    expect([copy.size, copy.call(), copy.doubled, "extra" in copy]).toEqual([3, 1, 2, false]);
    expect(copy.w === model.w).toBe(false);
    class Wrong extends Counter {
      static override [nnx.makeEmpty](): Counter {
        return new Counter(0);
      }
    }
    expect(() => nnx.clone(new Wrong(1))).toThrow(/^Wrong: its makeEmpty gave a Counter/);
  });
});

describe("Modules are trees", () => {
  class Ring extends nnx.Module {
    readonly self = this;
    readonly a = block();
    readonly b = this.a;
    table: Tensor = ones([2]);
  }

  it("test_tree_map: a model of the mapped arrays, shared parts and cycles as they were", async () => {
    const model = new Ring();
    const twice = tree.map((x: Tensor) => (x.dtype === "float32" ? x.mul(2) : x), model);
    expect(twice).toBeInstanceOf(Ring);
    expect([twice.self === twice, twice.a === twice.b, twice.a.linear.kernel === model.a.linear.kernel]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await twice.table.toArray()).toEqual([2, 2]);
    expect(await twice.a.linear.kernel.value.sum().item()).toBeCloseTo(
      2 * Number(await model.a.linear.kernel.value.sum().item()),
      5,
    );
    const names = tree.flattenWithPath(model).paths.map((path) => path.join("."));
    expect(names).toEqual([
      "a.dropout.rngs.count.value",
      "a.dropout.rngs.key.value.0",
      "a.dropout.rngs.key.value.1",
      "a.linear.bias.value",
      "a.linear.kernel.value",
      "table",
    ]);
    expect(tree.flattenWithPath(model).paths[0]).toEqual(["a", "dropout", "rngs", "count", "value"]);
    expect(tree.structure(model).text).toBe(tree.structure(new Ring()).text);
    expect(tree.structure(model).text).not.toBe(tree.structure(block()).text);
  });

  it("jax.jit, jax.grad and jax.vmap take and give models", async () => {
    const model = new nnx.Linear(2, 2, { rngs: new nnx.Rngs(0) });
    const step = jax.jit((net: nnx.Linear, x: Tensor) => {
      const grads = jax.grad((one: nnx.Linear) => one.call(x).sum())(net);
      return tree.map((p: Tensor, g: Tensor) => p.sub(g), net, grads);
    });
    const next = step(model, ones([3, 2]));
    expect(next).toBeInstanceOf(nnx.Linear);
    expect(await next.bias?.value.toArray()).toEqual([-3, -3]);
    expect(await model.bias?.value.toArray()).toEqual([0, 0]);
    const stacked = jax.vmap((seed: Tensor) => tree.map((p: Tensor) => p.mul(seed), model))(array([1, 2.5]));
    expect(stacked.kernel.shape).toEqual([2, 2, 2]);
  });
});

describe("TestModuleDataclass", () => {
  it("test_basic, test_field_specifiers, test_field_specifiers_with_defaults", () => {
    class Foo extends nnx.dataclass({
      a: nnx.field<number>(),
      b: nnx.field<nnx.Param>(),
      c: nnx.field<number>({ default: 3, kind: "data" }),
      d: nnx.field<number[]>({ defaultFactory: () => [1], kind: "static" }),
    }) {
      sum(): number {
        return this.a + this.d.length;
      }
    }
    const [one, two] = [new Foo({ a: 1, b: new nnx.Param(ones([1])) }), new Foo({ a: 1, b: new nnx.Param(ones([1])) })];
    expect(nnx.toFlatState(nnx.state(one)).map(([path]) => path[0])).toEqual(["b", "c"]);
    expect([one.sum(), one.d === two.d]).toEqual([2, false]);
    expect(nnx.clone(one)).toBeInstanceOf(Foo);
  });

  it("test_field_specifiers_array_in_static; missing and unknown fields are told", () => {
    class Bar extends nnx.dataclass({
      a: nnx.field<unknown>({ kind: "static" }),
      b: nnx.field<number>({ default: 1 }),
    }) {}
    expect(() => new Bar({ a: [ones([1])] })).toThrow(/static: found data at "0"/);
    // Deliberately what the types refuse.
    expect(() => new Bar({} as never)).toThrow(/^Bar: missing a; give every field/);
    // Deliberately what the types refuse.
    expect(() => new Bar({ a: 1, x: 2 } as never)).toThrow(/^Bar: no field x; there are a, b/);
  });

  it("test_variable_in_static_list, test_module_in_static_list: lists hold Variables and modules; test_post_init", () => {
    class Foo extends nnx.dataclass({ filters: nnx.field<nnx.Param[]>(), rngs: nnx.field<nnx.Rngs>() }) {
      readonly bar: nnx.Linear;
      constructor(values: { filters: nnx.Param[]; rngs: nnx.Rngs }) {
        super(values);
        this.bar = new nnx.Linear(1, 1, { rngs: this.rngs });
      }
    }
    const foo = new Foo({ filters: [new nnx.Param(ones([1]))], rngs: new nnx.Rngs(0) });
    expect(nnx.toFlatState(nnx.state(foo, nnx.Param)).map(([path]) => path.join("."))).toEqual([
      "bar.bias",
      "bar.kernel",
      "filters.0",
    ]);
  });
});
