import type { LinkedKernel } from "@jnx/kernels-wgsl";
import type { LaunchLayout } from "../checks.ts";
import type { Storage } from "./memory.ts";

/**
 * How a kernel runs whose uniforms, and the places in their buffers where its operands begin, are set beside each dispatch
 * instead of being bound. Bind groups then tell buffers alone: there are few, and none has a dynamic offset, for which lavapipe
 * copies the group (25 µs and a memory map each time).
 */
export interface Immediates {
  readonly code: string;
  /** Words in all: the uniforms one after another, then where each storage begins. */
  readonly words: number;
  /** Words of each uniform. */
  readonly uniforms: readonly number[];
  /** Bytes of one element of each storage: what offsets are counted in. */
  readonly elements: readonly number[];
}

const WORD = 4;
/** Texts that are left alone whatever they do. */
const REFUSED = [
  // Directives come first, and so does what is put before the text.
  /^\s*(?:enable|requires|diagnostic)\b/m,
  // That declares these.
  /\b[Ii]mmediates\b/,
  // Where a name begins and ends is told by ASCII.
  /[^\0-\x7f]/,
];
const SCALARS = new Set(["f32", "i32", "u32"]);
const VECTOR = /^vec([24])(?:[fiu]|<(?:f32|i32|u32)>)$/;

/** The kernel with immediates, if the device takes as many and the text uses uniforms and storages in no unusual way. */
export function withImmediates(
  kernel: LinkedKernel,
  { storage, uniform }: LaunchLayout,
  limit: number,
): Immediates | undefined {
  // Anything but words one after the other has a layout that its fields do not tell.
  if (uniform.some(({ layout }) => layout === undefined || layout.bytes !== layout.fields.length * WORD))
    return undefined;
  const uniforms = uniform.map(({ layout }) => layout?.fields.length ?? 0);
  const words = uniforms.reduce((sum, count) => sum + count, storage.length);
  if (words * WORD > limit) return undefined;
  let code = withoutComments(kernel.code);
  if (code === undefined || REFUSED.some((pattern) => pattern.test(code ?? ""))) return undefined;
  const members: string[] = [];
  for (const { name } of uniform) {
    const declared = take(code, new RegExp(`${AT}var<uniform>\\s+${name}\\s*:\\s*(\\w+)\\s*;`));
    if (declared === undefined || !only(declared.rest, name, "\\.") || isPointedAt(declared.rest, name))
      return undefined;
    members.push(`${name}: ${declared.type}`);
    code = declared.rest.replaceAll(word(name), `immediates.${name}`);
  }
  const elements: number[] = [];
  const declarations: string[] = [];
  for (const { name } of storage) {
    const declared = take(code, new RegExp(`${AT}var<storage[^>]*>\\s+${name}\\s*:\\s*array<([^;]+)>\\s*;`));
    const element = declared && elementBytes(declared.type, code);
    if (declared === undefined || element === undefined || !only(declared.rest, name, "\\[")) return undefined;
    elements.push(element);
    members.push(`begin_${name}: u32`);
    declarations.push(declared.text.replaceAll(/\s+/g, " "));
    code = shifted(declared.rest, name);
  }
  // On the first line, so that what compilers say of a line is said of the kernel's own.
  const head = `requires immediate_address_space; struct Immediates { ${members.join(", ")} } var<immediate> immediates: Immediates;`;
  return { code: `${head} ${declarations.join(" ")} ${code}`, words, uniforms, elements };
}

/** The words of uniforms, which stay the same, with room for the places of storages after them. */
export function uniformWords({ words, uniforms }: Immediates, arrays: readonly Uint8Array[]): Uint32Array<ArrayBuffer> {
  const data = new Uint32Array(words);
  const bytes = new Uint8Array(data.buffer);
  let at = 0;
  uniforms.forEach((count, k) => {
    bytes.set(arrays[k]?.subarray(0, count * WORD) ?? [], at);
    at += count * WORD;
  });
  return data;
}

/** What one dispatch is given: those words, and where its storages begin written behind them. */
export function withPlaces(
  { words, elements }: Immediates,
  data: Uint32Array<ArrayBuffer>,
  storages: readonly Pick<Storage, "offset">[],
): Uint32Array<ArrayBuffer> {
  const first = words - elements.length;
  for (let k = 0; k < elements.length; k++) data[first + k] = (storages[k]?.offset ?? 0) / (elements[k] ?? WORD);
  return data;
}

const AT = "@group\\(\\d+\\)\\s*@binding\\(\\d+\\)\\s*";

/** Neither the end of a longer name nor a member of something. */
const ALONE = "(?<!\\w|\\.\\s*)";

function word(name: string): RegExp {
  return new RegExp(`${ALONE}${name}\\b`, "g");
}

const COMMENT = /\/\*|\/\/[^\n\v\f\r\u0085\u2028\u2029]*/g;
const NESTED = /\/\*|\*\//g;

/** The text with a space in place of each comment, of as many lines; undefined if one does not end. */
function withoutComments(code: string): string | undefined {
  let text = "";
  let from = 0;
  for (let found = next(COMMENT, code, 0); found !== null; found = next(COMMENT, code, from)) {
    text += `${code.slice(from, found.index)} `;
    from = COMMENT.lastIndex;
    if (found[0] !== "/*") continue;
    // One that goes over lines may hold others.
    for (let depth = 1; depth > 0; from = NESTED.lastIndex) {
      const token = next(NESTED, code, from);
      if (token === null) return undefined;
      depth += token[0] === "/*" ? 1 : -1;
    }
    text += code.slice(found.index, from).replaceAll(/[^\n]/g, "");
  }
  return text + code.slice(from);
}

function next(pattern: RegExp, code: string, from: number): RegExpExecArray | null {
  pattern.lastIndex = from;
  return pattern.exec(code);
}

/** A declaration, the type in it, and the text without it, of as many lines. */
function take(code: string, pattern: RegExp): { text: string; type: string; rest: string } | undefined {
  const found = pattern.exec(code);
  const [text, type] = found ?? [];
  if (text === undefined || type === undefined) return undefined;
  return { text, type, rest: code.replace(text, text.replaceAll(/[^\n]/g, "")) };
}

/** True if the name stands for nothing else in the text, and `next` follows it wherever it does. */
function only(code: string, name: string, next: string): boolean {
  return !new RegExp(`${ALONE}${name}\\b(?!\\s*${next})|\\b(let|var|const|fn)\\s+${name}\\b`).test(code);
}

/** True if there is a pointer to the uniform: its type tells the address space. After a value, & is no address. */
function isPointedAt(code: string, name: string): boolean {
  return new RegExp(`(?<![\\w)\\]&]\\s*)&[\\s(]*${name}\\b`).test(code);
}

function elementBytes(type: string, code: string): number | undefined {
  const alias = new RegExp(`alias\\s+${type.replaceAll(/[<>]/g, "\\$&")}\\s*=\\s*([^;]+);`).exec(code)?.[1];
  if (alias !== undefined) return elementBytes(alias.trim(), code);
  if (SCALARS.has(type)) return WORD;
  const lanes = VECTOR.exec(type)?.[1];
  return lanes === undefined ? undefined : Number(lanes) * WORD;
}

/** The text with every `name[i]` made `name[begin + u32(i)]`. */
function shifted(code: string, name: string): string {
  let text = "";
  // For each open bracket, whether it is one of this array's.
  const open: boolean[] = [];
  let end = 0;
  for (const { 0: token, index } of code.matchAll(new RegExp(`${ALONE}${name}\\s*\\[|\\[|\\]`, "g"))) {
    text += code.slice(end, index);
    end = index + token.length;
    if (token === "]") text += open.pop() === true ? ")]" : "]";
    else {
      const own = token !== "[";
      open.push(own);
      text += own ? `${name}[immediates.begin_${name} + u32(` : "[";
    }
  }
  return text + code.slice(end);
}
