import type { Binding, UniformField, WgslFunction, Width } from "@jnx/kernels-wgsl";
import type { DType } from "../dtype.ts";
import type { MapContext } from "../op.ts";
import type { Shape } from "../shape.ts";
import { at } from "../view.ts";
import type { Expr, LiteralExpr, LoadExpr, MapExpr, Output } from "./expr.ts";
import { collapse, isAligned, isFlat, leaves, type IndexSpace } from "./space.ts";

const ALIAS: Record<DType, "F" | "I" | "U" | "B"> = { float32: "F", int32: "I", uint32: "U", bool: "B" };
const STORED: Record<DType, "f32" | "i32" | "u32"> = { float32: "f32", int32: "i32", uint32: "u32", bool: "u32" };

interface Operand {
  readonly slot: number;
  readonly name: string;
  readonly element: string;
  readonly access: "read" | "read_write";
}

interface Field {
  readonly name: string;
  readonly type: "u32" | "i32" | "f32";
  readonly value: number;
}

/** The hooks of one kernel as text: what goes into its default block, and what must be bound for it. */
export interface HookText {
  readonly block: string;
  readonly functions: readonly WgslFunction[];
  readonly bindings: readonly Binding[];
  /** Slots of the group-1 storage bindings, in binding order. */
  readonly slots: readonly number[];
  /** Bytes of the Hooks uniform, if there is one. */
  readonly uniform: Uint8Array | undefined;
}

/**
 * Turns expressions into the WGSL of a kernel's hooks. Numbers (extents, strides, constants) go into a uniform, so that
 * the text depends on structure alone and kernels of other shapes share a pipeline.
 */
export class Emitter {
  /** What the aliases F, I, U and B stand for in this module: scalars or vec4s. */
  readonly lanes: Width;
  readonly #functions = new Map<string, WgslFunction>();
  readonly #fields: Field[] = [];
  readonly #reads: Operand[] = [];
  readonly #writes: Operand[] = [];
  readonly #text: string[] = [];
  #hooks = 0;

  constructor(lanes: Width) {
    this.lanes = lanes;
  }

  /** Declares the arrays to write before any hook reads, so that an operand updated in place is bound once. */
  declareOutputs(outputs: readonly Output[], width: Width): void {
    for (const { slot, dtype } of outputs)
      this.#writes.push({
        slot,
        name: `y${this.#writes.length}`,
        element: elementType(dtype, width),
        access: "read_write",
      });
  }

  /** `fn load(i: u32) -> V`: the expression at position i, counted in vectors of `width`. */
  addLoad(shape: Shape, expr: Expr, width: Width): void {
    const scope = new HookScope(this, this.#hooks++, shape, [expr], width);
    const value = scope.value(expr);
    const stored = expr.dtype === "bool" ? `select(U(0u), U(1u), ${value})` : value;
    this.#text.push(
      `fn load(i: u32) -> ${elementType(expr.dtype, width)} {\n${scope.body()}  return ${narrow(stored, width, this.lanes)};\n}`,
    );
  }

  /** `fn store(i: u32, v: V)`: every output at position i, from the value the kernel computed. */
  addStore(shape: Shape, outputs: readonly Output[], result: DType, width: Width): void {
    this.#addWriter(`fn store(i: u32, v: ${elementType(result, width)})`, shape, outputs, width, resultText(result));
  }

  /** `fn body(i: u32)`: every output at position i, from the operands alone. */
  addBody(shape: Shape, outputs: readonly Output[], width: Width): void {
    this.#addWriter("fn body(i: u32)", shape, outputs, width, "");
  }

  #addWriter(signature: string, shape: Shape, outputs: readonly Output[], width: Width, result: string): void {
    const scope = new HookScope(
      this,
      this.#hooks++,
      shape,
      outputs.map((output) => output.expr),
      width,
      result,
    );
    const values = outputs.map(({ expr }) => scope.value(expr));
    const stores = outputs.map(({ slot, dtype }, k) => {
      const value = dtype === "bool" ? `select(U(0u), U(1u), ${at(values, k)})` : at(values, k);
      return `  ${this.#outputName(slot)}[i] = ${narrow(value, width, this.lanes)};\n`;
    });
    this.#text.push(`${signature} {\n${scope.body()}${stores.join("")}}`);
  }

  #outputName(slot: number): string {
    return at(
      this.#writes.filter((operand) => operand.slot === slot),
      0,
    ).name;
  }

  /** The name of the array that reads `slot` as `element`s: the output itself when it is updated in place. */
  operand(slot: number, element: string): string {
    const written = this.#writes.find((operand) => operand.slot === slot);
    if (written !== undefined) return written.name;
    const known = this.#reads.find((operand) => operand.slot === slot && operand.element === element);
    if (known !== undefined) return known.name;
    const name = `x${this.#reads.length}`;
    this.#reads.push({ slot, name, element, access: "read" });
    return name;
  }

  field(name: string, type: Field["type"], value: number): string {
    this.#fields.push({ name, type, value });
    return `h.${name}`;
  }

  /** A constant of the trace; equal ones share a field. */
  constant(value: number, type: Field["type"]): string {
    const known = this.#fields.find(
      (field) => field.name.startsWith("c") && field.type === type && Object.is(field.value, value),
    );
    if (known !== undefined) return `h.${known.name}`;
    return this.field(`c${this.#fields.length}`, type, value);
  }

  use(fn: WgslFunction): string {
    this.#functions.set(fn.name, fn);
    return fn.name;
  }

  /** The finished block: `consts` are the kernel's own constants, aliases included. */
  finish(consts: string): HookText {
    const bindings: Binding[] = [];
    const lines = [prelude(this.lanes), consts.trim()];
    if (this.#fields.length > 0) {
      const layout = { bytes: Math.ceil(this.#fields.length / 4) * 16, fields: this.#fields.map(layoutField) };
      bindings.push({ group: 1, binding: 0, name: "h", access: "uniform", layout });
      lines.push(`struct Hooks { ${this.#fields.map(({ name, type }) => `${name}: ${type}`).join(", ")} }`);
      lines.push("@group(1) @binding(0) var<uniform> h: Hooks;");
    }
    const operands = [...this.#reads, ...this.#writes];
    operands.forEach(({ name, element, access }, k) => {
      bindings.push({ group: 1, binding: k + 1, name, access });
      lines.push(`@group(1) @binding(${k + 1}) var<storage, ${access}> ${name}: array<${element}>;`);
    });
    return {
      block: [...lines, ...this.#text].filter((line) => line !== "").join("\n"),
      functions: [...this.#functions.values()],
      bindings,
      slots: operands.map((operand) => operand.slot),
      uniform: this.#fields.length > 0 ? packFields(this.#fields) : undefined,
    };
  }
}

/** The statements of one hook: each expression computed once, operands loaded at this position. */
class HookScope {
  readonly #emitter: Emitter;
  readonly #hook: number;
  readonly #width: Width;
  readonly #result: string;
  readonly #space: IndexSpace;
  readonly #views: ReadonlyMap<Expr, number>;
  readonly #names = new Map<Expr, string>();
  readonly #lines: string[] = [];
  #coordinates: readonly string[] | undefined;
  #laneCoordinates: readonly string[] | undefined;

  constructor(emitter: Emitter, hook: number, shape: Shape, roots: readonly Expr[], width: Width, result = "") {
    this.#emitter = emitter;
    this.#hook = hook;
    this.#width = width;
    this.#result = result;
    const viewed = leaves(roots);
    this.#views = new Map(viewed.map((expr, k) => [expr, k]));
    this.#space = collapse(
      shape,
      viewed.map((expr) => expr.view),
    );
  }

  body(): string {
    return this.#lines.map((line) => `  ${line}\n`).join("");
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
    if (expr.kind === "result") return this.#result;
    if (expr.kind === "literal") return this.#literal(expr);
    if (expr.kind === "load") return this.#load(expr);
    const args = expr.args.map((arg) => this.value(arg));
    return expr.op.wgsl(args, this.#context(expr), expr.attrs, [...expr.args.map((arg) => arg.dtype), expr.dtype]);
  }

  #context(expr: MapExpr): MapContext {
    return {
      use: (fn) => this.#emitter.use(fn),
      constant: (value, dtype) => `${ALIAS[dtype]}(${this.#emitter.constant(value, STORED[dtype])})`,
      index: () => this.#lanesOf(expr, expr.view.offset),
    };
  }

  #literal({ value, dtype }: LiteralExpr): string {
    if (dtype === "bool") return `B(${value ? "true" : "false"})`;
    return `${ALIAS[dtype]}(${this.#emitter.constant(value, STORED[dtype])})`;
  }

  #load(expr: LoadExpr): string {
    const text = this.#rawLoad(expr);
    return expr.dtype === "bool" ? `(${text} != U(0u))` : text;
  }

  /** One element (or vec4) as stored. */
  #rawLoad(expr: LoadExpr): string {
    const alias = expr.dtype === "bool" ? "U" : ALIAS[expr.dtype];
    const k = this.#order(expr);
    const { offset } = expr.view;
    const scalar = STORED[expr.dtype];
    const strides = at(this.#space.strides, k);
    const inner = strides.length - 1;
    const rowsOfFour = inner < 0 || at(this.#space.dims, inner) % 4 === 0;
    const vectors =
      isFlat(this.#space, k, offset) ||
      (rowsOfFour && isAligned(strides, offset) && inner >= 0 && at(strides, inner) !== 0);
    if (this.#width === 4 && vectors)
      return `${this.#emitter.operand(expr.slot, elementType(expr.dtype, 4))}[${this.#index(k, offset, 4)}]`;
    const array = this.#emitter.operand(expr.slot, scalar);
    if (this.#width === 1 || (rowsOfFour && (inner < 0 || at(strides, inner) === 0)))
      return `${alias}(${array}[${this.#index(k, offset, this.#width === 1 ? 1 : 4)}])`;
    const lanes = `q${this.#hook}_${this.#lines.length}`;
    this.#lines.push(`let ${lanes} = ${this.#laneIndex(k, offset)};`);
    return `${alias}(${["x", "y", "z", "w"].map((lane) => `${array}[${lanes}.${lane}]`).join(", ")})`;
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
    if (isFlat(this.#space, k, offset)) return "i";
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
    if (isFlat(this.#space, k, offset)) return "(U(i * 4u) + vec4u(0u, 1u, 2u, 3u))";
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

  /** Coordinates of position i along every axis; the innermost in vec4 units when the hook is four wide. */
  #scalars(): readonly string[] {
    const unit = this.#width;
    this.#coordinates ??= this.#split("i", "c", (extent, inner) => (inner ? extent / unit : extent), "");
    return this.#coordinates;
  }

  #lanesCoordinates(): readonly string[] {
    if (this.#laneCoordinates === undefined) {
      this.#lines.push(`let l${this.#hook} = U(i * 4u) + vec4u(0u, 1u, 2u, 3u);`);
      this.#laneCoordinates = this.#split(`l${this.#hook}`, "d", (extent) => extent, "U");
    }
    return this.#laneCoordinates;
  }

  /** Peels coordinates off a flat index, innermost first. */
  #split(
    flat: string,
    prefix: string,
    extentOf: (extent: number, inner: boolean) => number,
    cast: string,
  ): readonly string[] {
    const { dims } = this.#space;
    const names: string[] = new Array<string>(dims.length).fill("");
    let rest = flat;
    for (let axis = dims.length - 1; axis > 0; axis--) {
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
    if (dims.length > 0) names[0] = rest;
    return names;
  }
}

function prelude(lanes: Width): string {
  return lanes === 4
    ? "alias F = vec4f;\nalias I = vec4i;\nalias U = vec4u;\nalias B = vec4<bool>;"
    : "alias F = f32;\nalias I = i32;\nalias U = u32;\nalias B = bool;";
}

function elementType(dtype: DType, width: Width): string {
  return width === 4 ? `vec4<${STORED[dtype]}>` : STORED[dtype];
}

/** A kernel's scalar result, spread over the lanes of a module whose aliases are vec4s, or a bool from its stored form. */
function resultText(dtype: DType): string {
  return dtype === "bool" ? "(U(v) != U(0u))" : `${ALIAS[dtype]}(v)`;
}

/** The first lane, where the module computes with four and the hook moves one. */
function narrow(value: string, width: Width, lanes: Width): string {
  return width < lanes ? `(${value}).x` : value;
}

function layoutField(field: Field, k: number): UniformField {
  return { name: field.name, type: field.type, offset: 4 * k };
}

function packFields(fields: readonly Field[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(Math.ceil(fields.length / 4) * 16));
  fields.forEach(({ type, value }, k) => {
    if (type === "f32") view.setFloat32(4 * k, value, true);
    else view.setUint32(4 * k, value >>> 0, true);
  });
  return new Uint8Array(view.buffer);
}
