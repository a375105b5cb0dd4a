import type { Width } from "@jnx/kernels-wgsl";
import { computedDType, packedBits, type ComputedDType, type DType } from "../dtype.ts";
import type { MapContext } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import { at } from "../view.ts";
import type { Emitter } from "./emitter.ts";
import type { Expr, LiteralExpr, LoadExpr, MapExpr } from "./expr.ts";
import { decodeText, lanesOfWords, narrowText, wordOf, wordsType } from "./packed.ts";
import { collapse, isAligned, isFlat, leaves, type IndexSpace } from "./space.ts";

const ALIAS: Record<ComputedDType, "F" | "I" | "U" | "B"> = { float32: "F", int32: "I", uint32: "U", bool: "B" };
const STORED: Record<ComputedDType, "f32" | "i32" | "u32"> = {
  float32: "f32",
  int32: "i32",
  uint32: "u32",
  bool: "u32",
};

/** The alias of a dtype in kernels: a scalar or a vec4, as the module's width is. */
export function aliasOf(dtype: DType): "F" | "I" | "U" | "B" {
  return ALIAS[computedDType(dtype)];
}

/** The type of numbers that stand for a dtype's elements outside packed memory: in uniforms, and between hooks. */
export function numberType(dtype: DType): "f32" | "i32" | "u32" {
  return STORED[computedDType(dtype)];
}

/** What a kernel's hooks exchange for one position. */
export function valueType(dtype: DType, width: Width): string {
  return width === 4 ? `vec4<${numberType(dtype)}>` : numberType(dtype);
}

/** How a hook is told where it is: names of variables in scope. */
export interface Walk {
  /** The row-major position, counted in the hook's width. */
  readonly index: string;
  /** The value that the kernel hands to a `store` hook. */
  readonly result?: string;
  /** In a walk along lines: axes before `border` follow `outer`, those from there on follow `inner`. */
  readonly lines?: { readonly border: number; readonly outer: string; readonly inner: string };
}

/** The statements of one hook: each expression computed once, operands loaded at this position. */
export class HookScope {
  readonly #emitter: Emitter;
  readonly #hook: number;
  readonly #width: Width;
  readonly #walk: Walk;
  readonly #space: IndexSpace;
  readonly #size: number;
  /** True where vec4s do not fill the shape: the last position has lanes past the end. */
  readonly #ragged: boolean;
  readonly #views: ReadonlyMap<Expr, number>;
  readonly #names = new Map<Expr, string>();
  readonly #lines: string[] = [];
  /** How many statements `body` has handed out. */
  #given = 0;
  #coordinates: readonly string[] | undefined;
  #laneCoordinates: readonly string[] | undefined;
  /** The uniform that holds the last element's index. */
  #end: string | undefined;

  constructor(emitter: Emitter, hook: number, shape: Shape, roots: readonly Expr[], width: Width, walk: Walk) {
    this.#emitter = emitter;
    this.#hook = hook;
    this.#width = width;
    this.#walk = walk;
    this.#size = sizeOf(shape);
    this.#ragged = width === 4 && this.#size % 4 !== 0;
    const viewed = leaves(roots);
    this.#views = new Map(viewed.map((expr, k) => [expr, k]));
    this.#space = collapse(
      shape,
      viewed.map((expr) => expr.view),
      walk.lines?.border,
    );
  }

  /** The statements since the last call: what was asked for by `value` until now. */
  body(): string {
    this.#given += this.#lines.length;
    return this.#lines
      .splice(0)
      .map((line) => `  ${line}\n`)
      .join("");
  }

  value(expr: Expr): string {
    const known = this.#names.get(expr);
    if (known !== undefined) return known;
    const text = this.#text(expr);
    const name = `t${this.#hook}_${this.#names.size}`;
    this.#lines.push(`let ${name} = ${text};`);
    this.#names.set(expr, name);
    return name;
  }

  #text(expr: Expr): string {
    if (expr.kind === "result")
      return expr.name ?? narrowText(expr.dtype, this.#walk.result ?? "", (fn) => this.#emitter.use(fn));
    if (expr.kind === "literal") return this.#literal(expr);
    if (expr.kind === "load") return this.#load(expr);
    const args = expr.args.map((arg) => this.value(arg));
    const dtypes = [...expr.args, expr].map(({ dtype }) => computedDType(dtype));
    const text = expr.op.wgsl(args, this.#context(expr), expr.attrs, dtypes);
    return narrowText(expr.dtype, text, (fn) => this.#emitter.use(fn));
  }

  #context(expr: MapExpr): MapContext {
    return {
      use: (fn) => this.#emitter.use(fn),
      constant: (value, dtype) => `${aliasOf(dtype)}(${this.#emitter.constant(value, numberType(dtype))})`,
      index: () => this.#lanesOf(expr, expr.view.offset),
    };
  }

  #literal({ value, dtype }: LiteralExpr): string {
    if (dtype === "bool") return `B(${value ? "true" : "false"})`;
    return `${aliasOf(dtype)}(${this.#emitter.constant(value, numberType(dtype))})`;
  }

  #load(expr: LoadExpr): string {
    const bits = packedBits(expr.dtype);
    if (bits !== undefined) return decodeText(expr.dtype, this.#packedLoad(expr, bits), (fn) => this.#emitter.use(fn));
    const text = this.#rawLoad(expr);
    return expr.dtype === "bool" ? `(${text} != U(0u))` : text;
  }

  /** One element (or vec4) as stored. */
  #rawLoad(expr: LoadExpr): string {
    const alias = expr.dtype === "bool" ? "U" : aliasOf(expr.dtype);
    const { vector, splat, index } = this.#access(expr, this.#ragged);
    if (vector) return `${this.#emitter.operand(expr.slot, valueType(expr.dtype, 4))}[${index}]`;
    const array = this.#emitter.operand(expr.slot, numberType(expr.dtype));
    if (splat) return `${alias}(${array}[${index}])`;
    return `${alias}(${LANES.map((lane) => `${array}[${index}.${lane}]`).join(", ")})`;
  }

  /** The bits of one element, or of four, among others of their words. */
  #packedLoad(expr: LoadExpr, bits: 8 | 16): string {
    const { vector, splat, index } = this.#access(expr, false);
    // Memory is filled up to whole fours, so that a ragged end can be read in one piece.
    if (vector) return lanesOfWords(bits, `${this.#emitter.operand(expr.slot, wordsType(bits))}[${index}]`);
    const array = this.#emitter.operand(expr.slot, "u32");
    if (!splat) return `U(${LANES.map((lane) => wordOf(bits, array, `${index}.${lane}`)).join(", ")})`;
    return `U(${wordOf(bits, array, this.#named(index))})`;
  }

  /** Whether one access serves the position, as a vector or for all lanes alike, and where; else the lanes' indices. */
  #access(expr: LoadExpr, ragged: boolean): { vector: boolean; splat: boolean; index: string } {
    const k = this.#order(expr);
    const { offset } = expr.view;
    const strides = at(this.#space.strides, k);
    const inner = strides.length - 1;
    const rowsOfFour = inner < 0 || at(this.#space.dims, inner) % 4 === 0;
    const vector =
      this.#width === 4 &&
      !ragged &&
      (isFlat(this.#space, k, offset) ||
        (rowsOfFour && isAligned(strides, offset) && inner >= 0 && at(strides, inner) !== 0));
    if (vector) return { vector, splat: false, index: this.#index(k, offset, 4) };
    const splat = this.#width === 1 || (rowsOfFour && (inner < 0 || at(strides, inner) === 0));
    if (splat) return { vector, splat, index: this.#index(k, offset, this.#width) };
    return { vector, splat, index: this.#named(this.#laneIndex(k, offset)) };
  }

  #named(text: string): string {
    const name = `q${this.#hook}_${this.#given + this.#lines.length}`;
    this.#lines.push(`let ${name} = ${text};`);
    return name;
  }

  /** Element indices of the four lanes of the vec4 at `index`; past a ragged end, that of the last element. */
  #laneText(index: string): string {
    const lanes = `U(${index} * 4u) + vec4u(0u, 1u, 2u, 3u)`;
    if (!this.#ragged) return lanes;
    this.#end ??= this.#emitter.field(`e${this.#hook}_${this.#given + this.#lines.length}`, "u32", this.#size - 1);
    return `min(${lanes}, U(${this.#end}))`;
  }

  #order(expr: Expr): number {
    return this.#views.get(expr) ?? 0;
  }

  /** The row-major index of a generator's own element, in every lane. */
  #lanesOf(expr: MapExpr, offset: number): string {
    const k = this.#order(expr);
    if (this.#width === 4) return this.#laneIndex(k, offset);
    return `U(${this.#index(k, offset, 1)})`;
  }

  /** The index of the element (unit 1) or of the vec4 (unit 4, when the innermost stride is 1) at position i. */
  #index(k: number, offset: number, unit: Width): string {
    if (isFlat(this.#space, k, offset)) return this.#walk.index;
    const strides = at(this.#space.strides, k);
    const inner = strides.length - 1;
    const vector = unit === 4 && inner >= 0 && at(strides, inner) === 1;
    const terms = this.#terms(
      k,
      strides,
      (stride, axis) => (vector && axis !== inner ? stride / 4 : stride),
      () => this.#scalars(),
    );
    if (offset !== 0)
      terms.push(this.#emitter.field(`o${this.#hook}_${k}`, "u32", (vector ? offset / 4 : offset) >>> 0));
    return terms.length === 0 ? "0u" : terms.join(" + ");
  }

  /** Element indices of the four lanes, each from its own coordinates: right for any strides. */
  #laneIndex(k: number, offset: number): string {
    if (isFlat(this.#space, k, offset)) return `(${this.#laneText(this.#walk.index)})`;
    const terms = this.#terms(
      k,
      at(this.#space.strides, k),
      (stride) => stride,
      () => this.#lanesCoordinates(),
    );
    if (offset !== 0) terms.push(`U(${this.#emitter.field(`o${this.#hook}_${k}`, "u32", offset >>> 0)})`);
    return terms.length === 0 ? "U(0u)" : `(${terms.join(" + ")})`;
  }

  #terms(
    k: number,
    strides: readonly number[],
    scale: (stride: number, axis: number) => number,
    coordinates: () => readonly string[],
  ): string[] {
    return strides.flatMap((stride, axis) => {
      if (stride === 0) return [];
      const c = at(coordinates(), axis);
      const scaled = scale(stride, axis);
      return scaled === 1 ? [c] : [`${c} * ${this.#emitter.field(`s${this.#hook}_${k}_${axis}`, "u32", scaled >>> 0)}`];
    });
  }

  /** Coordinates of the position along every axis; the innermost in vec4 units when the hook is four wide. */
  #scalars(): readonly string[] {
    const unit = this.#width;
    this.#coordinates ??= this.#split(
      this.#stretches((index) => index),
      "c",
      (extent, inner) => (inner ? extent / unit : extent),
      "",
    );
    return this.#coordinates;
  }

  #lanesCoordinates(): readonly string[] {
    if (this.#laneCoordinates !== undefined) return this.#laneCoordinates;
    const lanes = `l${this.#hook}`;
    const innermost = this.#walk.lines?.inner ?? this.#walk.index;
    this.#lines.push(`let ${lanes} = ${this.#laneText(innermost)};`);
    const stretches = this.#stretches((index) => (index === innermost ? lanes : `U(${index})`));
    this.#laneCoordinates = this.#split(stretches, "d", (extent) => extent, "U");
    return this.#laneCoordinates;
  }

  /** Which axes a flat index counts: all of them, or in a walk along lines those of the lines and those within. */
  #stretches(name: (index: string) => string): readonly Stretch[] {
    const { index, lines } = this.#walk;
    const { dims, before } = this.#space;
    if (lines === undefined) return [{ flat: name(index), first: 0, end: dims.length }];
    return [
      { flat: name(lines.outer), first: 0, end: before },
      { flat: name(lines.inner), first: before, end: dims.length },
    ];
  }

  /** Peels coordinates off flat indices, innermost first. */
  #split(
    stretches: readonly Stretch[],
    prefix: string,
    extentOf: (extent: number, inner: boolean) => number,
    cast: string,
  ): readonly string[] {
    const { dims } = this.#space;
    const names: string[] = new Array<string>(dims.length).fill("");
    for (const { flat, first, end } of stretches) {
      let rest = flat;
      for (let axis = end - 1; axis > first; axis--) {
        const extent = this.#emitter.field(
          `n${this.#hook}${prefix}${axis}`,
          "u32",
          extentOf(at(dims, axis), axis === dims.length - 1),
        );
        const name = `${prefix}${this.#hook}_${axis}`;
        const divisor = cast === "" ? extent : `${cast}(${extent})`;
        this.#lines.push(`let ${name} = ${rest} % ${divisor};`, `let r${name} = ${rest} / ${divisor};`);
        names[axis] = name;
        rest = `r${name}`;
      }
      if (end > first) names[first] = rest;
    }
    return names;
  }
}

/** The axes that one flat index counts. */
interface Stretch {
  readonly flat: string;
  readonly first: number;
  readonly end: number;
}

const LANES = ["x", "y", "z", "w"] as const;
