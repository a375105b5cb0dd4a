/** What the compiler wrote, as text: for people who look at a kernel. Knows the modules of `compile`, no others. */
import { floatOf } from "./fold.ts";
import { allOps, type Op } from "./ops.ts";

const TYPES: Readonly<Record<number, string>> = { 0x7f: "i32", 0x7d: "f32", 0x7b: "v128" };
const PARAMETER_SECTION = 1;
const CODE_SECTION = 10;
const PREFIXES: readonly number[] = [0xfc, 0xfd];

/** Instructions that are no values: name, and how many numbers follow. */
const CONTROL: Readonly<Record<string, readonly [name: string, immediates: number]>> = {
  "2": ["block", 1],
  "3": ["loop", 1],
  "4": ["if", 1],
  "5": ["else", 0],
  "11": ["end", 0],
  "12": ["br", 1],
  "13": ["br_if", 1],
  "27": ["select", 0],
  "32": ["local.get", 1],
  "33": ["local.set", 1],
  "252:11": ["memory.fill", 1],
};
const STORES: Readonly<Record<string, string>> = { "54": "i32.store", "56": "f32.store", "253:11": "v128.store" };
const OPENS = new Set(["block", "loop", "if", "else"]);
const CLOSES = new Set(["end", "else"]);

/** Reads numbers one after another. */
class Reader {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  byte(): number {
    const value = this.#bytes[this.at++];
    if (value === undefined)
      throw new Error(`disassemble: the module ends at byte ${this.at - 1}, inside an instruction`);
    return value;
  }

  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }

  signed(): number {
    let value = 0;
    for (let shift = 0; ;) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      shift += 7;
      if (byte < 128) return shift < 32 && (byte & 64) !== 0 ? value | (-1 << shift) : value;
    }
  }

  word(): number {
    const word = this.#view.getInt32(this.at, true);
    this.at += 4;
    return word;
  }
}

/**
 * A module of `compile` as text, one instruction a line, blocks indented: WebAssembly's text format in its flat form. Constants of
 * f32 are numbers, those of v128 four words.
 *
 * @throws Error for a module that is not the compiler's: it names the byte.
 * @example
 * console.log(disassemble(compile(code, { relaxedSimd: false, sharedMemory: false, clampIndices: false }).bytes));
 */
export function disassemble(module: Uint8Array): string {
  const parameters = sectionOf(module, PARAMETER_SECTION);
  parameters.at += 2;
  const types = Array.from({ length: parameters.unsigned() }, () => typeOf(parameters.byte()));
  const code = sectionOf(module, CODE_SECTION);
  code.unsigned();
  const length = code.unsigned();
  const end = code.at + length;
  const head = `(func (export "run") (param ${types.join(" ")})`;
  const locals = readLocals(code);
  const lines = [head, ...(locals.length > 0 ? [`  (local ${locals.join(" ")})`] : [])];
  let depth = 1;
  while (code.at < end - 1) {
    const text = instruction(code);
    const [name = ""] = text.split(" ", 1);
    if (CLOSES.has(name)) depth--;
    lines.push("  ".repeat(depth) + text);
    if (OPENS.has(name)) depth++;
  }
  if (code.at !== end - 1)
    throw new Error(`disassemble: the last instruction ends at byte ${code.at}, expected ${end - 1}`);
  return `${lines.join("\n")})`;
}

function typeOf(byte: number): string {
  return TYPES[byte] ?? `0x${byte.toString(16)}`;
}

/** At the contents of the section of that number. */
function sectionOf(module: Uint8Array, wanted: number): Reader {
  const reader = new Reader(module, 8);
  while (reader.at < module.length) {
    const id = reader.byte();
    const bytes = reader.unsigned();
    if (id === wanted) return reader;
    reader.at += bytes;
  }
  throw new Error(`disassemble: a module without section ${wanted}, expected one that compile() made`);
}

function readLocals(reader: Reader): string[] {
  const locals: string[] = [];
  for (let runs = reader.unsigned(); runs > 0; runs--) {
    const count = reader.unsigned();
    locals.push(...new Array<string>(count).fill(typeOf(reader.byte())));
  }
  return locals;
}

function instruction(reader: Reader): string {
  const start = reader.at;
  const first = reader.byte();
  const key = PREFIXES.includes(first) ? `${first}:${reader.unsigned()}` : String(first);
  if (key === "65") return `i32.const ${reader.signed()}`;
  if (key === "67") return `f32.const ${floatOf(reader.word())}`;
  if (key === "253:12") return `v128.const i32x4 ${[0, 1, 2, 3].map(() => hex(reader.word())).join(" ")}`;
  const store = STORES[key];
  if (store !== undefined) return store + memory(reader);
  const control = CONTROL[key];
  if (control !== undefined) return controlText(reader, ...control);
  const op = byCode().get(key);
  if (op === undefined)
    throw new Error(`disassemble: byte ${start} is ${hex(first)}, no instruction of the compiler's`);
  if (/\.load/.test(op.name)) return op.name + memory(reader);
  if (op.immediate === "lane") return `${op.name} ${reader.byte()}`;
  if (op.immediate === "lanes") return `${op.name} ${Array.from({ length: 16 }, () => reader.byte()).join(" ")}`;
  return op.name;
}

/** Blocks leave nothing on the stack, so the byte that says so is no news. */
function controlText(reader: Reader, name: string, immediates: number): string {
  if (immediates === 0) return name;
  const value = reader.unsigned();
  return OPENS.has(name) || name === "memory.fill" ? name : `${name} ${value}`;
}

function memory(reader: Reader): string {
  reader.unsigned();
  const offset = reader.unsigned();
  return offset === 0 ? "" : ` offset=${offset}`;
}

function hex(word: number): string {
  return `0x${(word >>> 0).toString(16)}`;
}

let codes: Map<string, Op> | undefined;

function byCode(): Map<string, Op> {
  if (codes !== undefined) return codes;
  codes = new Map();
  for (const op of allOps()) {
    const reader = new Reader(Uint8Array.from(op.code), 0);
    const first = reader.byte();
    codes.set(PREFIXES.includes(first) ? `${first}:${reader.unsigned()}` : String(first), op);
  }
  return codes;
}
