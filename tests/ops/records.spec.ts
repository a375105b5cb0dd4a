import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { rows, shapedOperands, shapedTensors, ordinaryOperands, toTensor } from "@jnx/testing";
import { Tensor, type Aval, type DType } from "@jnx/tensor";
import { isFloat, withLevel, type AnyOp, type Level } from "@jnx/tensor/internal";
import { describe, expect, test } from "vitest";

/**
 * Every record of @jnx/tensor against its rules, by shapes alone: what an op gives for the table's operands, the cotangents of
 * its reverse rule, the tangent of its forward rule, and its batching rule for each choice of batched operands. What the
 * rules compute, the tests of the table's rows say.
 */

interface Use {
  readonly op: AnyOp;
  readonly inputs: readonly Aval[];
  readonly attrs: unknown;
}

/** Runs ops on shapes: nothing is computed, and each op's uses are noted. */
class Shapes implements Level {
  readonly name = "shapes";
  readonly uses: Use[] = [];

  claims(): boolean {
    return true;
  }

  process(op: AnyOp, inputs: readonly Tensor[], attrs: unknown): Tensor {
    this.uses.push({ op, inputs: inputs.map(({ shape, dtype, weak }) => ({ shape, dtype, weak })), attrs });
    return this.symbol(op.infer(inputs, attrs));
  }

  symbol(aval: Aval): Tensor {
    return new Tensor(aval, { kind: "symbolic", trace: this, value: {} });
  }
}

/** Each op's first uses, with shapes that differ. */
function collect(): Map<string, Use[]> {
  const level = new Shapes();
  withLevel(level, () => {
    for (const row of rows) {
      const dtype: DType = row.dtypes.includes("float32") ? "float32" : (row.dtypes[0] ?? "float32");
      const operands =
        row.kind === "map"
          ? ordinaryOperands(row, dtype, [[3, 4]]).map((x) => toTensor(x, dtype))
          : shapedTensors(row, dtype, shapedOperands(row, dtype));
      row.run(...operands);
    }
  });
  const found = new Map<string, Use[]>();
  for (const use of level.uses) {
    const own = found.get(use.op.name) ?? [];
    found.set(use.op.name, own);
    const text = JSON.stringify(use.inputs.map(({ shape, dtype }) => [shape, dtype]));
    const isNew = own.every(({ inputs }) => JSON.stringify(inputs.map(({ shape, dtype }) => [shape, dtype])) !== text);
    if (isNew && own.length < 4) own.push(use);
  }
  return found;
}

/** Float operands that an op has no derivative by, which it says. */
const FIXED: Readonly<Record<string, readonly number[]>> = { betainc: [0, 1], random_gamma_grad: [0, 1] };

const found = collect();
const uses = [...found].map(([name, some]) => [name, some] as const);

/** Runs a rule on shapes. */
function abstractly<T>(rule: (level: Shapes) => T): T {
  const level = new Shapes();
  return withLevel(level, () => rule(level));
}

/** Every choice of at least one of so many. */
function choices(count: number): boolean[][] {
  const all = Array.from({ length: 2 ** count - 1 }, (_, k) =>
    Array.from({ length: count }, (_, i) => ((k + 1) >> i) % 2 === 1),
  );
  return count <= 4 ? all : all.filter((one) => one.every(Boolean) || one.filter(Boolean).length === 1);
}

describe("every record keeps its rules", () => {
  test.each(uses)("%s: forward and reverse", (_name, some) => {
    for (const { op, inputs, attrs } of some) {
      const { vjp } = op;
      // A factorization of a wide matrix refuses to go back.
      if (op.name === "qr" && (inputs[0]?.shape.at(-2) ?? 0) < (inputs[0]?.shape.at(-1) ?? 0)) continue;
      const output = op.infer(inputs as readonly Tensor[], attrs); // rules of shapes read shapes
      if (vjp === "nondifferentiable" || !isFloat(output.dtype)) continue;
      const fixed = FIXED[op.name] ?? [];
      const pull = (needs: readonly boolean[]): readonly (Tensor | undefined)[] =>
        abstractly((level) =>
          vjp(
            { inputs: inputs.map((x) => level.symbol(x)), output: level.symbol(output), attrs, needs },
            level.symbol(output),
          ),
        );
      for (const k of fixed) expect(() => pull(inputs.map((_, i) => i === k))).toThrow("derivative");
      const needs = inputs.map(({ dtype }, k) => isFloat(dtype) && !fixed.includes(k));
      const cts = pull(needs);
      cts.forEach((ct, k) => {
        if (ct === undefined || needs[k] !== true) return;
        expect([k, ct.shape, isFloat(ct.dtype)]).toEqual([k, inputs[k]?.shape, true]);
      });
      if (op.jvp === undefined) continue;
      const { jvp } = op;
      const tangent = abstractly((level) => {
        const primals = inputs.map((x) => level.symbol(x));
        const moves = inputs.map((x, k) => (needs[k] === true ? level.symbol(x) : undefined));
        return jvp({ inputs: primals, output: level.symbol(output), attrs }, moves);
      });
      if (tangent !== undefined) expect(tangent.shape).toEqual(output.shape);
    }
  });

  const EXAMPLES = 5;
  test.each(uses)("%s: batch", (_name, some) => {
    for (const { op, inputs, attrs } of some) {
      if (op.batch === undefined) {
        expect(op.kind, "only a map needs no batching rule").toBe("map");
        continue;
      }
      const { batch } = op;
      const output = op.infer(inputs as readonly Tensor[], attrs); // as above
      for (const batched of choices(inputs.length)) {
        const result = abstractly((level) =>
          batch(
            inputs.map((x, k) => level.symbol(batched[k] === true ? { ...x, shape: [EXAMPLES, ...x.shape] } : x)),
            batched,
            attrs,
          ),
        );
        const [own, shape] =
          result instanceof Tensor ? [result, [EXAMPLES, ...output.shape]] : [result.unbatched, output.shape];
        expect([batched, own.shape, own.dtype]).toEqual([batched, shape, output.dtype]);
      }
    }
  });
});

test("the table reaches every record that has a name of its own", () => {
  const folder = path.resolve(import.meta.dirname, "../../packages/tensor/src/ops");
  const named = readdirSync(folder)
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [...readFileSync(path.join(folder, file), "utf8").matchAll(/^ {2}name: "([^"]+)",$/gm)])
    .map(([, name]) => name ?? "");
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((name) => !found.has(name) && !ELSEWHERE.includes(name))).toEqual([]);
});

/** Records that no row of the table calls, and where they are tested. */
const ELSEWHERE = [
  // Called by rules alone: tests/ops/attention.spec.ts, tests/ops/gradients.spec.ts, tests/ops/indexing.spec.ts,
  // tests/ops/scan.spec.ts, tests/ops/structural.spec.ts.
  "attention_gradient",
  "beta_density",
  "scatter_add",
  "recurrence",
  "sin_of_square",
  "cos_of_square",
  // Called for panels of large matrices: tests/ops/large-linalg.spec.ts.
  "geqrf",
  // Called by levels, and by pow of whole numbers: tests/transforms, tests/ops/ufuncs.spec.ts.
  "alias",
  "power",
];
