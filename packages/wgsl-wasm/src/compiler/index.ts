import type { Expression } from "./ast.ts";
import { Builder } from "./builder.ts";
import { Context } from "./context.ts";
import { Emitter } from "./emit.ts";
import { encodeModule } from "./encode.ts";
import { buildEntry, entryPoint, workgroupSize } from "./entry.ts";
import { WgslError } from "./errors.ts";
import { Machine } from "./machine.ts";
import { describe, FAULT_BYTES, Memory, PARAMETERS } from "./memory.ts";
import { parse } from "./parser.ts";
import { stepPointers } from "./pointers.ts";
import { schedule } from "./schedule.ts";
import { concrete } from "./values.ts";

export { disassemble } from "./disassemble.ts";
export { WgslError, type Rule } from "./errors.ts";

/** A kernel as a WebAssembly module. */
export interface CompiledKernel {
  /** Imports env.memory, exports `run(begin, end, groupsX, groupsY, groupsZ, scratch, bindings)`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** In the order of (group, binding). */
  readonly bindings: readonly CompiledBinding[];
  readonly workgroupSize: readonly [number, number, number];
  /** Bytes that each thread needs beside the bindings, 16-byte aligned. */
  readonly scratchBytes: number;
}

/** A binding that the kernel declares. */
export interface CompiledBinding {
  readonly group: number;
  readonly binding: number;
  readonly name: string;
  readonly access: "uniform" | "read" | "read_write";
  readonly byteStride: number;
}

/** What the engine that will run the module has. */
export interface CompileOptions {
  readonly relaxedSimd: boolean;
  readonly sharedMemory: boolean;
  /** Keep every index inside its binding, at the price of speed. */
  readonly clampIndices: boolean;
}

/** What engines take, by https://webassembly.github.io/spec/js-api/#limits. */
const MOST_LOCALS = 50_000;
const MOST_BYTES = 7_654_321;

/**
 * Compiles one WGSL compute kernel of the subset (README.md) to a WebAssembly module.
 *
 * @throws WgslError when the text is not WGSL or outside the subset: line, column and the rule it breaks.
 */
export function compile(code: string, options: CompileOptions): CompiledKernel {
  try {
    return compileText(code, options);
  } catch (error) {
    // The stack: V8 and JavaScriptCore say RangeError, SpiderMonkey InternalError.
    if (error instanceof Error && /^(RangeError|InternalError)$/.test(error.name))
      throw new WgslError(
        "unsupported",
        { line: 1, column: 1 },
        "the text nests too deeply, or chains too many operations",
      );
    throw error;
  }
}

function compileText(code: string, options: CompileOptions): CompiledKernel {
  const b = new Builder(options.relaxedSimd);
  const memory = new Memory(b, options.clampIndices);
  const whole = (expression: Expression, context: Context): number => wholeNumber(b, memory, context, expression);
  const context = new Context(parse(code), whole, options.clampIndices ? FAULT_BYTES : 0);
  const entry = entryPoint(context);
  const size = workgroupSize(context, entry);
  const scratchBytes = buildEntry(new Machine(b, context, memory), entry, size);
  if (!options.clampIndices) stepPointers(b);
  const parameters = Object.keys(PARAMETERS).length;
  const emitter = new Emitter(schedule(b.entry), parameters);
  emitter.block(b.entry);
  if (emitter.locals.length + parameters > MOST_LOCALS || emitter.code.length > MOST_BYTES) {
    const message = `${entry.name}: more operations than engines take in one function`;
    throw new WgslError("unsupported", entry, message);
  }
  return {
    bytes: encodeModule(emitter.code.done(), emitter.locals, parameters, options.sharedMemory),
    bindings: context.bindings.map(describe),
    workgroupSize: size,
    scratchBytes,
  };
}

/** The value of a constant expression such as a length or a binding's number. */
function wholeNumber(b: Builder, memory: Memory, context: Context, expression: Expression): number {
  const value = new Machine(b, context, memory).evaluate(expression);
  const [node] = concrete(b, value, expression).parts;
  if (node?.kind !== "const" || node.type !== "i32")
    throw new WgslError("constant", expression, "a whole number that is known beforehand is needed");
  return node.imm;
}
