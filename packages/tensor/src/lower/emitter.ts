import type { Binding, UniformField, WgslFunction, Width } from "@jnx/kernels-wgsl";
import { packedBits, type DType } from "../dtype.ts";
import { sizeOf, type Shape } from "../shape.ts";
import { at } from "../view.ts";
import type { Expr, Output } from "./expr.ts";
import { wordsText, wordsType } from "./packed.ts";
import { aliasOf, HookScope, valueType, type Walk } from "./scope.ts";

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
  /** How many elements there are, where the outputs' last vec4 is not full. */
  #ragged: number | undefined;

  constructor(lanes: Width) {
    this.lanes = lanes;
  }

  /** Declares the arrays to write before any hook reads, so that an operand updated in place is bound once. */
  declareOutputs(outputs: readonly Output[], width: Width, shape?: Shape): void {
    const count = shape === undefined ? 0 : sizeOf(shape);
    this.#ragged = width === 4 && count % 4 !== 0 ? count : undefined;
    for (const { slot, dtype } of outputs) {
      const bits = packedBits(dtype);
      const own = valueType(dtype, this.#ragged === undefined ? width : 1);
      const element = bits === undefined ? own : wordsType(bits);
      this.#writes.push({ slot, name: `y${this.#writes.length}`, element, access: "read_write" });
    }
  }

  /** `fn load(i: u32) -> V`: the expression at position i, counted in vectors of `width`. */
  addLoad(shape: Shape, expr: Expr, width: Width): void {
    const scope = this.scope(shape, [expr], width, { index: "i" });
    const value = scope.value(expr);
    const stored = expr.dtype === "bool" ? `select(U(0u), U(1u), ${value})` : value;
    this.#text.push(
      `fn load(i: u32) -> ${valueType(expr.dtype, width)} {\n${scope.body()}  return ${narrow(stored, width, this.lanes)};\n}`,
    );
  }

  /** `fn store(i: u32, v: V)`: every output at position i, from the value the kernel computed. */
  addStore(shape: Shape, outputs: readonly Output[], result: DType, width: Width): void {
    this.#addWriter(`fn store(i: u32, v: ${valueType(result, width)})`, shape, outputs, width, resultText(result));
  }

  /** `fn body(i: u32)`: every output at position i, from the operands alone. */
  addBody(shape: Shape, outputs: readonly Output[], width: Width): void {
    this.#addWriter("fn body(i: u32)", shape, outputs, width, "");
  }

  #addWriter(signature: string, shape: Shape, outputs: readonly Output[], width: Width, result: string): void {
    const exprs = outputs.map((output) => output.expr);
    const scope = this.scope(shape, exprs, width, { index: "i", result });
    const values = outputs.map(({ expr }) => scope.value(expr));
    const stores = outputs.map(({ slot, dtype }, k) => this.storeText(slot, dtype, "i", at(values, k), width));
    this.#text.push(`${signature} {\n${scope.body()}${stores.join("")}}`);
  }

  /** The statements of a hook over `shape`; they are written down as its values are asked for. */
  scope(shape: Shape, roots: readonly Expr[], width: Width, walk: Walk): HookScope {
    return new HookScope(this, this.#hooks++, shape, roots, width, walk);
  }

  /** Adds a hook as text. */
  addText(text: string): void {
    this.#text.push(text);
  }

  /** The statement that writes a value, which has the width of the module, into a declared output. Packed ones take four. */
  storeText(slot: number, dtype: DType, index: string, value: string, width: Width): string {
    const array = this.#outputName(slot);
    if (packedBits(dtype) !== undefined) {
      if (width !== 4) throw new Error(`jnx internal error: ${dtype} is stored in one piece of four`);
      const { line, words } = wordsText(dtype, value, `w_${array}`, (fn) => this.use(fn));
      return `${line}  ${array}[${index}] = ${words};\n`;
    }
    const stored = dtype === "bool" ? `select(U(0u), U(1u), ${value})` : value;
    if (this.#ragged === undefined) return `  ${array}[${index}] = ${narrow(stored, width, this.lanes)};\n`;
    const end = this.constant(this.#ragged, "u32");
    const lanes = ["x", "y", "z", "w"].map((lane, k) => {
      const place = `${index} * 4u + ${k}u`;
      return `  if (${place} < ${end}) { ${array}[${place}] = v_${array}.${lane}; }\n`;
    });
    return `  let v_${array} = ${stored};\n${lanes.join("")}`;
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

function prelude(lanes: Width): string {
  return lanes === 4
    ? "alias F = vec4f;\nalias I = vec4i;\nalias U = vec4u;\nalias B = vec4<bool>;"
    : "alias F = f32;\nalias I = i32;\nalias U = u32;\nalias B = bool;";
}

/** A kernel's scalar result, spread over the lanes of a module whose aliases are vec4s, or a bool from its stored form. */
function resultText(dtype: DType): string {
  return dtype === "bool" ? "(U(v) != U(0u))" : `${aliasOf(dtype)}(v)`;
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
