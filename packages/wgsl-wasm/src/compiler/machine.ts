import type { Declaration, Expression, FunctionDeclaration, Statement } from "./ast.ts";
import type { Builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Scope, type Environment, type Frame, type Variable, type Way } from "./environment.ts";
import { WgslError, type Place } from "./errors.ts";
import { evaluate } from "./expressions.ts";
import { callFunction } from "./functions.ts";
import type { Node } from "./ir.ts";
import type { Memory } from "./memory.ts";
import { executeAll } from "./statements.ts";
import type { Value } from "./values.ts";

/** Many times what the largest of our kernels need, and a tenth of a second. */
const MOST_STEPS = 10_000;

/**
 * Runs a function on nodes instead of numbers: what comes out is its intermediate form. Calls are inlined, constants
 * fold on the way, and each variable is the nodes that it holds at the moment.
 */
export class Machine {
  readonly b: Builder;
  context: Context;
  readonly memory: Memory;
  env: Environment = new Map();
  scope = new Scope();
  /** False after a jump, until ways meet again. */
  alive = true;
  /** True while something is computed once for a whole workgroup, where no invocation can write. */
  once = false;
  readonly frames: Frame[] = [];
  /** Functions and constants that are being evaluated. */
  readonly calls: Declaration[] = [];

  #steps = 0;

  constructor(b: Builder, context: Context, memory: Memory) {
    this.b = b;
    this.context = context;
    this.memory = memory;
  }

  /** Notes a call or a turn of an unrolled loop: these multiply, and too many are refused before they take all time. */
  step(place: Place): void {
    if (++this.#steps > MOST_STEPS)
      throw new WgslError("unsupported", place, "too many operations once calls are inlined and loops unrolled");
  }

  read(variable: Variable): readonly Node[] {
    const parts = this.env.get(variable);
    if (parts === undefined) throw new Error(`${variable.name} has no value`);
    return parts;
  }

  write(variable: Variable, parts: readonly Node[]): void {
    this.env.set(variable, parts);
  }

  evaluate(expression: Expression): Value {
    return evaluate(this, expression);
  }

  execute(statements: readonly Statement[]): void {
    executeAll(this, statements);
  }

  call(declaration: FunctionDeclaration, args: readonly Value[], place: Place): Value | undefined {
    return callFunction(this, declaration, args, place);
  }

  /** Names declared inside end with `run`. */
  scoped(run: () => void, parent: Scope = this.scope): void {
    const outer = this.scope;
    this.scope = new Scope(parent);
    run();
    this.scope.drop(this.env);
    this.scope = outer;
  }

  /** Runs with another module's declarations. */
  within(context: Context, run: () => void): void {
    const outer = this.context;
    this.context = context;
    this.scoped(run, new Scope());
    this.context = outer;
  }

  /**
   * Goes on where ways meet. `before` are the values known before they parted; whatever a way has changed becomes a
   * slot that each of them sets.
   */
  merge(ways: readonly Way[], before: Environment): void {
    this.alive = ways.length > 0;
    const env: Environment = new Map();
    for (const [variable, parts] of before)
      env.set(
        variable,
        parts.map((part, k) => this.#meet(part, variable, k, ways)),
      );
    this.env = env;
  }

  #meet(part: Node, variable: Variable, k: number, ways: readonly Way[]): Node {
    const values = ways.map((way) => way.env.get(variable)?.[k] ?? part);
    if (values.every((value) => value === part)) return part;
    const slot = this.b.slot(part.type);
    ways.forEach((way, at) => way.sets.push({ slot, value: values[at] ?? part }));
    return slot;
  }

  frame(kinds: readonly Frame["kind"][], place: Place, what: string): Frame {
    for (let k = this.frames.length - 1; k >= 0; k--) {
      const frame = this.frames[k];
      if (frame !== undefined && kinds.includes(frame.kind)) return frame;
      if (frame?.kind === "function") break;
    }
    throw new WgslError("syntax", place, `${what} stands in no loop`);
  }
}
