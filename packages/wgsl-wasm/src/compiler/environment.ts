import type { Assignment, JumpItem, LoopItem, Node, ScopeItem } from "./ir.ts";
import type { Type } from "./types.ts";
import type { Value } from "./values.ts";

/** A `var` of a function. What it holds is in the environment of the moment. */
export interface Variable {
  readonly name: string;
  readonly type: Type;
}

export type Environment = Map<Variable, readonly Node[]>;

/** What a name stands for. The value of a `let` moves along when the invocation goes on in another piece. */
export type Binding =
  | { readonly kind: "value"; value: Value; /** True for a `const`. */ readonly constant?: boolean }
  | { readonly kind: "variable"; readonly variable: Variable };

/** Names of one block, and those around it. */
export class Scope {
  readonly parent: Scope | undefined;
  readonly #names = new Map<string, Binding>();

  constructor(parent?: Scope) {
    this.parent = parent;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  declare(name: string, binding: Binding): void {
    this.#names.set(name, binding);
  }

  entries(): IterableIterator<[string, Binding]> {
    return this.#names.entries();
  }

  /** Forgets what the variables declared here hold. */
  drop(env: Environment): void {
    for (const binding of this.#names.values()) if (binding.kind === "variable") env.delete(binding.variable);
  }

  find(name: string): Binding | undefined {
    let binding = this.#names.get(name);
    for (let scope = this.parent; binding === undefined && scope !== undefined; scope = scope.parent)
      binding = scope.#names.get(name);
    return binding;
  }
}

/** One way to a place where ways meet, and where to note what it sets. */
export interface Way {
  readonly env: Environment;
  readonly sets: Assignment[];
}

/** Where `break`, `continue` or `return` go. */
export interface Frame {
  readonly kind: "loop" | "continue" | "function";
  readonly item: LoopItem | ScopeItem;
  readonly ways: Way[];
  /** For functions: what holds the result. */
  readonly result?: Variable | undefined;
}

export function newJump(frame: Frame, env: Environment): JumpItem {
  const jump: JumpItem = { kind: "jump", target: frame.item, sets: [] };
  frame.item.hasJumps = true;
  frame.ways.push({ env: new Map(env), sets: jump.sets });
  return jump;
}
