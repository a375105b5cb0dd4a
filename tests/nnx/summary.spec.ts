import { ones, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

class Block extends nnx.Module {
  readonly linear: nnx.Linear;
  readonly dropout: nnx.Dropout;
  constructor(din: number, dout: number, { rngs }: nnx.RngsOptions) {
    super();
    this.linear = new nnx.Linear(din, dout, { rngs });
    this.dropout = new nnx.Dropout(0.5, { rngs });
  }
  call(x: Tensor): Tensor {
    return this.dropout.call(this.linear.call(x));
  }
}

class Foo extends nnx.Module {
  readonly block1: Block;
  readonly block2: Block;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.block1 = new Block(32, 128, { rngs });
    this.block2 = new Block(128, 10, { rngs });
  }
  call(x: Tensor): Tensor {
    return this.block2.call(this.block1.call(x));
  }
}

describe("tabulate", () => {
  it("counts the operations of each call and of its gradients", () => {
    const foo = new Foo({ rngs: new nnx.Rngs(0) });
    const table = nnx.tabulate(foo, [ones([2, 32])], { computeFlops: true, computeVjpFlops: true });
    const cells = table
      .split("\n")
      .filter((line) => line.startsWith("│"))
      .map((line) => line.split("│").map((cell) => cell.trim()));
    expect(cells[0]?.slice(5, 7)).toEqual(["flops", "vjpFlops"]);
    const row = (path: string): string[] => cells.find((found) => found[1] === path)?.slice(5, 7) ?? [];
    const [flops, vjpFlops] = row("block1/linear").map((text) => Number(text.replaceAll(",", "")));
    // 2·2·32·128 of the product and 2·128 of the bias, as Flax counts.
    expect(flops).toBe(2 * 2 * 32 * 128 + 2 * 128);
    // Those, two more products, and the bias's sum; the cotangent may cost an element each.
    expect(vjpFlops).toBeGreaterThanOrEqual(3 * 2 * 2 * 32 * 128 + 2 * 2 * 128);
    expect(vjpFlops).toBeLessThan(3 * 2 * 2 * 32 * 128 + 6 * 2 * 128);
    const conv = new nnx.Conv(2, 4, [3, 3], { useBias: false, padding: "VALID", rngs: new nnx.Rngs(0) });
    const shown = nnx.tabulate(conv, [ones([1, 6, 6, 2])], { computeFlops: true });
    expect(shown).toContain(` ${(2 * 16 * 9 * 2 * 4).toLocaleString("en-US")} `);
  });

  it("test_tabulate: a row for each module in the order of calls, with shapes, sizes and totals", async () => {
    const foo = new Foo({ rngs: new nnx.Rngs(0) });
    const lines = nnx.tabulate(foo, [ones([1, 32])]).split("\n");
    const cells = lines
      .filter((line) => line.startsWith("│"))
      .map((line) => line.split("│").map((cell) => cell.trim()));
    expect(lines[0]?.trim()).toBe("Foo Summary");
    expect(cells[0]).toEqual(["", "path", "type", "inputs", "outputs", "Param", "RngState", ""]);
    expect(cells.map(([, path]) => path).filter((path) => path !== "")).toEqual([
      "path",
      "block1",
      "block1/linear",
      "block1/dropout",
      "block2",
      "block2/linear",
      "block2/dropout",
    ]);
    expect(cells[1]).toEqual(["", "", "Foo", "float32[1,32]", "float32[1,10]", "5,514 (22.1 KB)", "6 (24 B)", ""]);
    expect(lines.join("\n")).toContain("kernel: float32[32,128]");
    expect(lines.at(-2)?.trim()).toBe("Total Parameters: 5,520 (22.1 KB)");
    expect(await foo.block1.dropout.rngs?.count.value.item()).toBe(0);
  });

  it("test_shared: what is shared counts once; depth and rowFilter choose rows", () => {
    const linear = new nnx.Linear(4, 4, { rngs: new nnx.Rngs(0) });
    const twice = new nnx.Sequential(linear, linear);
    expect(nnx.tabulate(twice, [ones([1, 4])])).toContain("Total Parameters: 20 (80 B)");
    const foo = new Foo({ rngs: new nnx.Rngs(0) });
    expect(nnx.tabulate(foo, [ones([1, 32])], { depth: 1 })).not.toContain("block1/linear");
    expect(nnx.tabulate(foo, [ones([1, 32])], { rowFilter: ({ type }) => type !== "Dropout" })).not.toContain(
      "dropout",
    );
    expect(() => nnx.tabulate(foo, [], { method: "nope" })).toThrow(/no method "nope"/);
    expect(Block.prototype.call.name).toBe("call");
  });

  it("test_nested, test_shared: a row for each call, and one for a call that is shared", () => {
    class Part extends nnx.Module {
      readonly linear: nnx.Linear;
      readonly norm: nnx.BatchNorm;
      constructor(linear: nnx.Linear) {
        super();
        this.linear = linear;
        this.norm = new nnx.BatchNorm(2, { rngs: new nnx.Rngs(0) });
      }
      call(x: Tensor): Tensor {
        return this.norm.call(this.linear.call(x));
      }
    }
    const linear = (): nnx.Linear => new nnx.Linear(2, 2, { rngs: new nnx.Rngs(0) });
    const rows = (model: nnx.Module): number =>
      nnx
        .tabulate(model, [ones([4, 2])], { computeFlops: true, computeVjpFlops: true })
        .split("\n")
        .filter((line) => /^[^│]*│[^│]*│ *(Sequential|Part|Linear|BatchNorm) *│/.test(line)).length;
    expect(rows(new nnx.Sequential(new Part(linear()), new Part(linear())))).toBe(7);
    const shared = linear();
    expect(rows(new nnx.Sequential(new Part(shared), new Part(shared)))).toBe(6);
  });

  it("displayHtml folds nested objects, and escapes", () => {
    const html = nnx.displayHtml(new nnx.Dict({ a: "<b>", inner: new nnx.Linear(1, 1, { rngs: new nnx.Rngs(0) }) }));
    expect(html).toContain("&lt;b&gt;");
    expect(html.match(/<details/g)?.length).toBe(html.match(/<\/details>/g)?.length);
    expect(html.match(/<pre/g)?.length).toBe(html.match(/<\/pre>/g)?.length);
  });
});
