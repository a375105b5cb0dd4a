import { textOf } from "../recipes.ts";
import { rowMajorStrides, type View } from "../view.ts";
import type { Expr } from "./expr.ts";

/**
 * What is the same all along a line, in expressions over the whole: computed once for each line, before its loops, and
 * shared by all passes.
 */
export class LineUniform {
  readonly #border: number;
  /** Expressions over the lines by what they compute, so that passes that ask for the same share it. */
  readonly #known = new Map<string, Expr>();
  readonly #ids = new Map<unknown, number>();
  /** Over the whole to over the lines; undefined for what changes along a line. */
  readonly #moved = new Map<Expr, Expr | undefined>();
  readonly #kept = new Map<Expr, Expr>();

  /** `border`: how many leading axes count the lines. */
  constructor(border: number) {
    this.#border = border;
  }

  /** An expression over the lines, made of parts that others share. */
  shared(expr: Expr): Expr {
    const known = this.#kept.get(expr);
    if (known !== undefined) return known;
    const shared = this.#intern(
      expr.kind === "map" ? { ...expr, args: expr.args.map((arg) => this.shared(arg)) } : expr,
    );
    this.#kept.set(expr, shared);
    return shared;
  }

  /** The largest parts of an expression over the whole that are the same along a line, as expressions over the lines. */
  partsOf(root: Expr): ReadonlySet<Expr> {
    const parts = new Set<Expr>();
    const seen = new Set<Expr>();
    const visit = (expr: Expr): void => {
      if (seen.has(expr)) return;
      seen.add(expr);
      const moved = this.#overLines(expr);
      if (moved === undefined) {
        if (expr.kind === "map") expr.args.forEach(visit);
      } else if (worthIt(expr)) parts.add(moved);
    };
    visit(root);
    return parts;
  }

  /** The expression with those parts called by the names that `compute` gives them. */
  without(expr: Expr, compute: (part: Expr) => string): Expr {
    const done = new Map<Expr, Expr>();
    const visit = (one: Expr): Expr => {
      const known = done.get(one);
      if (known !== undefined) return known;
      const moved = this.#overLines(one);
      let left: Expr = one;
      if (moved !== undefined) {
        if (worthIt(one)) left = this.#intern({ kind: "result", dtype: one.dtype, name: compute(moved) });
      } else if (one.kind === "map") left = { ...one, args: one.args.map(visit) };
      done.set(one, left);
      return left;
    };
    return visit(expr);
  }

  #overLines(expr: Expr): Expr | undefined {
    if (this.#moved.has(expr)) return this.#moved.get(expr);
    const moved = this.#move(expr);
    const shared = moved && this.#intern(moved);
    this.#moved.set(expr, shared);
    return shared;
  }

  #move(expr: Expr): Expr | undefined {
    if (expr.kind === "literal" || expr.kind === "result") return expr;
    const view = this.#lead(expr.view);
    if (expr.kind === "load") return view && { ...expr, view };
    // The position of a generator's element changes along a line unless its view does not.
    if (expr.op.indexed === true && view === undefined) return undefined;
    const args: Expr[] = [];
    for (const arg of expr.args) {
      const moved = this.#overLines(arg);
      if (moved === undefined) return undefined;
      args.push(moved);
    }
    return { ...expr, args, view: view ?? this.#contiguous(expr.view) };
  }

  /** The view of the lines, if all elements of a line are one. */
  #lead({ shape, strides, offset }: View): View | undefined {
    const still = shape.every((extent, axis) => axis < this.#border || extent === 1 || strides[axis] === 0);
    return still ? { shape: shape.slice(0, this.#border), strides: strides.slice(0, this.#border), offset } : undefined;
  }

  #contiguous({ shape }: View): View {
    const lines = shape.slice(0, this.#border);
    return { shape: lines, strides: rowMajorStrides(lines), offset: 0 };
  }

  #intern(expr: Expr): Expr {
    const key = this.#keyOf(expr);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, expr);
    return expr;
  }

  #keyOf(expr: Expr): string {
    const view = (of: View): string => `${of.offset}[${of.shape.join()}][${of.strides.join()}]`;
    switch (expr.kind) {
      case "literal":
        return `${expr.dtype}=${Object.is(expr.value, -0) ? "-0" : expr.value}`;
      case "result":
        return `${expr.dtype}:${expr.name ?? ""}`;
      case "load":
        return `${expr.dtype}@${expr.slot} ${view(expr.view)}`;
      case "map": {
        const at = expr.op.indexed === true ? view(expr.view) : "";
        const args = expr.args.map((arg) => this.#id(arg)).join();
        return `${this.#id(expr.op)} ${textOf(expr.attrs) ?? this.#id(expr.attrs)} ${expr.dtype} ${at} (${args})`;
      }
    }
  }

  #id(value: unknown): number {
    const known = this.#ids.get(value) ?? this.#ids.size;
    this.#ids.set(value, known);
    return known;
  }
}

/** Numbers and what has a name already stay where they are. */
function worthIt(expr: Expr): boolean {
  return expr.kind === "load" || (expr.kind === "map" && expr.args.length > 0);
}
