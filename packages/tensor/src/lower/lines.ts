import {
  FEW_STEPS,
  identityBits,
  linePass,
  link,
  packUniform,
  planLines,
  type Combine,
  type Width,
} from "@jnx/kernels-wgsl";
import type { Limits } from "../device/executor.ts";
import { computedDType, type DType } from "../dtype.ts";
import { sizeOf, type Shape } from "../shape.ts";
import { at } from "../view.ts";
import { Emitter } from "./emitter.ts";
import type { Expr, Output, Step } from "./expr.ts";
import { LineUniform } from "./line-uniform.ts";
import { aliasOf, type HookScope, type Walk } from "./scope.ts";
import { widthOf } from "./space.ts";

/** A value of each line: what a pass finds, or what a map makes of what was found. Others call it by `name`. */
export interface LineValue {
  readonly name: string;
  readonly dtype: DType;
  /** Over the whole shape if it is combined along the line, else over the lines. */
  readonly expr: Expr;
  readonly combine: Combine | undefined;
  /** The pass that finds it; a map follows the pass whose result it waits for, −1 meaning none. */
  readonly pass: number;
}

/** A chain of passes along the last axes of `shape`, and the arrays that they write. */
export interface LinesWork {
  readonly shape: Shape;
  /** How many leading axes count the lines. */
  readonly border: number;
  /** In an order in which each finds what it needs. */
  readonly values: readonly LineValue[];
  readonly passes: number;
  /** Over the whole shape. */
  readonly full: readonly Output[];
  /** The first pass in whose loop everything that `full` needs has been found. */
  readonly fullPass: number;
  /** One element a line. */
  readonly perLine: readonly Output[];
}

/** Lowers a chain of passes to one dispatch of lines.wgsl. */
export function lowerLines(label: string, work: LinesWork, limits: Limits): Step {
  const { shape, border } = work;
  const lineShape = shape.slice(0, border);
  const whole = [...work.values.filter((value) => value.combine !== undefined), ...work.full].map(({ expr }) => expr);
  const width = widthOf(shape, whole, border);
  const emitter = new Emitter(width);
  emitter.declareOutputs(work.full, width);
  emitter.declareOutputs(work.perLine, 1);
  const found = work.values.find((value) => value.combine !== undefined);
  const plan = planLines(
    {
      count: sizeOf(lineShape),
      reduce: sizeOf(shape.slice(border)),
      width,
      dtype: computedDType(found?.dtype ?? "float32"),
    },
    limits,
  );
  emitter.addText(`fn line(o: u32) {\n${new LineText(emitter, work, width).text()}}`);
  const hooks = emitter.finish(plan.consts);
  const linked = link(plan.kernel, { block: hooks.block, functions: hooks.functions, bindings: hooks.bindings });
  const layout = plan.kernel.bindings.find((binding) => binding.access === "uniform")?.layout;
  const uniforms: Uint8Array[] = layout === undefined ? [] : [packUniform(layout, plan.params)];
  if (hooks.uniform !== undefined) uniforms.push(hooks.uniform);
  return { label, kernel: linked, slots: hooks.slots, uniforms, grid: plan.grid };
}

/** The body of the `line` hook. */
class LineText {
  readonly #emitter: Emitter;
  readonly #work: LinesWork;
  readonly #width: Width;
  readonly #few: boolean;
  /** Statements of the line itself, between the loops. */
  readonly #line: HookScope;
  readonly #uniform: LineUniform;

  constructor(emitter: Emitter, work: LinesWork, width: Width) {
    this.#emitter = emitter;
    this.#work = work;
    this.#width = width;
    this.#few = sizeOf(work.shape.slice(work.border)) / width <= FEW_STEPS;
    this.#uniform = new LineUniform(work.border);
    const perLine = [...work.values.filter((value) => value.combine === undefined), ...work.perLine];
    const exprs = perLine.map(({ expr }) => this.#uniform.shared(expr));
    const loops = [...work.values.filter((value) => value.combine !== undefined), ...work.full];
    const hoisted = loops.flatMap(({ expr }) => [...this.#uniform.partsOf(expr)]);
    this.#line = emitter.scope(work.shape.slice(0, work.border), [...exprs, ...hoisted], 1, { index: "o" });
  }

  text(): string {
    const { passes, fullPass, perLine } = this.#work;
    const parts = [this.#maps(-1)];
    for (let pass = 0; pass < passes; pass++) parts.push(this.#pass(pass), this.#maps(pass));
    if (fullPass === passes && this.#work.full.length > 0) parts.push(this.#loop(passes, []));
    const values = perLine.map(({ expr }) => this.#line.value(this.#uniform.shared(expr)));
    const stores = perLine.map(({ slot, dtype }, k) => this.#emitter.storeText(slot, dtype, "o", at(values, k), 1));
    parts.push(this.#line.body(), ...stores);
    return parts.join("");
  }

  /** Maps over the lines whose operands the pass has completed. */
  #maps(pass: number): string {
    const ready = this.#work.values.filter((value) => value.combine === undefined && value.pass === pass);
    return ready
      .map(({ name, expr }) => {
        const value = this.#line.value(this.#uniform.shared(expr));
        return `${this.#line.body()}  let ${name} = ${value};\n`;
      })
      .join("");
  }

  #pass(pass: number): string {
    const found = this.#work.values.filter((value) => value.combine !== undefined && value.pass === pass);
    const steps = found.map((value) => {
      const combine = value.combine ?? "sum";
      const identity = this.#emitter.field(`e_${value.name}`, "u32", identityBits(combine, computedDType(value.dtype)));
      return { value, ...linePass(value.name, combine, computedDType(value.dtype), this.#width, identity, this.#few) };
    });
    for (const { functions } of steps) functions.forEach((fn) => this.#emitter.use(fn));
    const loop = this.#loop(
      pass,
      steps.map(({ value, step }) => ({ value, step })),
    );
    const named = ({ name, dtype }: LineValue): string =>
      dtype === "bool" ? `(U(f_${name}) != U(0u))` : `${aliasOf(dtype)}(f_${name})`;
    const ends = steps.map(({ value, end }) => `${end}  let ${value.name} = ${named(value)};\n`);
    return `${steps.map(({ begin }) => begin).join("")}${loop}${ends.join("")}`;
  }

  /** One walk along the line: what is combined in it, and in the last what is written. */
  #loop(pass: number, steps: readonly { value: LineValue; step: (value: string) => string }[]): string {
    const { shape, border, full, fullPass } = this.#work;
    const outputs = pass === fullPass ? full : [];
    const whole = [...steps.map(({ value }) => value.expr), ...outputs.map(({ expr }) => expr)];
    const roots = whole.map((expr) => this.#uniform.without(expr, (part) => this.#line.value(part)));
    const walk: Walk = { index: "i", lines: { border, outer: "o", inner: "r" } };
    const scope = this.#emitter.scope(shape, roots, this.#width, walk);
    const values = roots.map((expr) => scope.value(expr));
    const combined = steps.map(({ value, step }, k) =>
      step(value.dtype === "bool" ? `select(U(0u), U(1u), ${at(values, k)})` : at(values, k)),
    );
    const stores = outputs.map(({ slot, dtype }, k) =>
      this.#emitter.storeText(slot, dtype, "i", at(values, steps.length + k), this.#width),
    );
    const body = [scope.body(), ...combined, ...stores].join("");
    return `${this.#line.body()}  for (var r = 0u; r < p.reduce; r += 1u) {\n  let i = o * p.reduce + r;\n${body}  }\n`;
  }
}
