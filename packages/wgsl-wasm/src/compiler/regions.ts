/**
 * Entry points with barriers. The body is cut at its barriers; all invocations run through one piece before any runs
 * the next. A loop that holds a barrier turns once for the whole workgroup. What an invocation knows at the end of a
 * piece it takes to the next: what is the same in all of them stays a local, index arithmetic is done again, and the
 * rest waits in memory, a row for each value.
 */
import type { FunctionDeclaration, LoopStatement, Statement } from "./ast.ts";
import type { Binding, Scope, Variable } from "./environment.ts";
import { WgslError } from "./errors.ts";
import { truth } from "./expressions.ts";
import { returns, runToEnd } from "./functions.ts";
import { newLoop, type LoopItem, type Node } from "./ir.ts";
import type { Machine } from "./machine.ts";
import type { Kept, Row, Rows } from "./rows.ts";
import { assignedNames, jumps } from "./walk.ts";
import type { Three } from "./workgroup.ts";

const BARRIERS = new Set(["workgroupBarrier", "storageBarrier"]);

interface OpenPhi {
  readonly variable: Variable;
  readonly k: number;
  readonly phi: LoopItem["phis"][number];
}

export function hasBarrier(statement: Statement): boolean {
  switch (statement.kind) {
    case "call":
      return statement.call.kind === "call" && BARRIERS.has(statement.call.callee.name);
    case "block":
    case "loop":
      return statement.body.some(hasBarrier);
    case "if":
      return statement.then.some(hasBarrier) || statement.otherwise.some(hasBarrier);
    default:
      return false;
  }
}

export class Regions {
  readonly #m: Machine;
  /** Declares the builtin values of an invocation. */
  readonly #declare: (local: Three) => void;
  readonly #rows: Rows;
  /** Scopes whose names live on from piece to piece, outermost first. */
  readonly #scopes: Scope[] = [];
  readonly #kept = new Map<Binding | Variable, readonly Kept[]>();

  constructor(m: Machine, rows: Rows, declare: (local: Three) => void) {
    this.#m = m;
    this.#rows = rows;
    this.#declare = declare;
  }

  run(entry: FunctionDeclaration): void {
    this.#m.env = new Map();
    this.#m.scoped(() => {
      this.#scopes.push(this.#m.scope);
      const nowhere = this.#nowhere("i32");
      this.#declare([nowhere, nowhere, nowhere]);
      this.#sequence(entry.body, false);
      this.#scopes.pop();
    });
  }

  /** `later`: barriers follow this sequence, so that nobody may leave early. */
  #sequence(statements: readonly Statement[], later: boolean): void {
    const last = later
      ? statements.length
      : statements.reduce((found, statement, k) => (hasBarrier(statement) ? k : found), -1);
    let piece: Statement[] = [];
    const flush = (): void => {
      if (piece.length > 0) this.#piece(piece);
      piece = [];
    };
    statements.forEach((statement, k) => {
      if (k < last && returns(statement))
        throw new WgslError(
          "early-return",
          statement,
          "an invocation may not return before a barrier, nor out of a block that holds one",
        );
      if (!hasBarrier(statement)) {
        piece.push(statement);
        return;
      }
      if (statement.kind === "if")
        throw new WgslError(
          "barrier",
          statement,
          "a barrier stands at the top level, or in a loop with a uniform counter",
        );
      flush();
      if (statement.kind === "block") {
        const follows = later || k < statements.length - 1;
        this.#nested(() => this.#sequence(statement.body, follows));
      } else if (statement.kind === "loop") this.#nested(() => this.#loop(statement));
    });
    flush();
  }

  /** A scope of names that outlive pieces. */
  #nested(run: () => void): void {
    this.#m.scoped(() => {
      this.#scopes.push(this.#m.scope);
      run();
      this.#scopes.pop();
    });
  }

  /** All invocations run the statements. */
  #piece(statements: readonly Statement[]): void {
    const m = this.#m;
    this.#rows.invocations((local) => {
      m.alive = true;
      this.#declare(local);
      const before = this.#take(local);
      const run = (): void => m.execute(statements);
      if (statements.some(returns)) runToEnd(m, "function", undefined, run);
      else run();
      this.#keep(local, before);
    });
    m.alive = true;
  }

  #bindings(): { key: Binding | Variable; binding: Binding; name: string; scope: Scope }[] {
    return this.#scopes.flatMap((scope) =>
      [...scope.entries()].map(([name, binding]) => {
        const key = binding.kind === "variable" ? binding.variable : binding;
        return { key, binding, name, scope };
      }),
    );
  }

  /** Gives every name its value in this piece; returns what each part was kept as. */
  #take(local: Three): Map<Node, Kept> {
    const m = this.#m;
    const before = new Map<Node, Kept>();
    for (const { key, binding } of this.#bindings()) {
      const kept = this.#kept.get(key);
      if (kept === undefined) continue;
      const parts = kept.map((part) => {
        const node = this.#rows.restore(part, local);
        before.set(node, part);
        return node;
      });
      if (binding.kind === "variable") m.write(binding.variable, parts);
      else binding.value = { ...binding.value, parts };
    }
    return before;
  }

  /** Keeps what every name holds at the end of this piece. */
  #keep(local: Three, before: ReadonlyMap<Node, Kept>): void {
    const m = this.#m;
    for (const { key, binding } of this.#bindings()) {
      const parts = binding.kind === "value" ? binding.value.parts : (m.env.get(binding.variable) ?? []);
      const kept = parts.map((part, k) => this.#keepPart(part, local, before, key, k));
      this.#kept.set(key, kept);
    }
  }

  #keepPart(part: Node, local: Three, before: ReadonlyMap<Node, Kept>, key: Binding | Variable, k: number): Kept {
    const old = this.#kept.get(key)?.[k];
    const forced = old?.kind === "row" && this.#pinned.has(old.row) ? old.row : undefined;
    const known = before.get(part);
    if (forced !== undefined) {
      if (known !== old) this.#rows.store(part, forced, local);
      return { kind: "row", row: forced };
    }
    if (known !== undefined) return known;
    if (this.#rows.isUniform(part)) return { kind: "uniform", node: part };
    if (this.#rows.isCheap(part, local)) return { kind: "again", node: part, local };
    const row = this.#rows.newRow(part.type);
    this.#rows.store(part, row, local);
    return { kind: "row", row };
  }

  /** Rows of variables that a loop with barriers changes: all its pieces agree on them. */
  readonly #pinned = new Set<Row>();

  /**
   * A loop that holds a barrier. Variables that it assigns are taken for uniform until the end of its body shows that
   * they are not; then the loop is built once more with those in memory.
   */
  #loop(loop: LoopStatement): void {
    const stop = loop.body.find((statement) => jumps(statement, "break") || jumps(statement, "continue"));
    if (stop !== undefined || loop.breakIf !== undefined)
      throw new WgslError("barrier", stop ?? loop, "a loop that holds a barrier has no break and no continue");
    const m = this.#m;
    const { init } = loop;
    if (init?.kind === "declare") this.#atWorkgroup(() => m.execute([init]));
    else if (init !== undefined) this.#piece([init]);
    for (const { key, binding } of this.#bindings()) {
      if (binding.kind !== "variable" || this.#kept.has(key)) continue;
      const nodes = m.read(binding.variable);
      this.#kept.set(
        key,
        nodes.map((node) => this.#mustBeUniform(node, loop)),
      );
    }
    const varying = new Set<Variable>();
    for (let known = -1; known < varying.size;) {
      known = varying.size;
      const kept = new Map(this.#kept);
      const turn = this.#turn(loop, varying);
      if (varying.size === known) {
        m.b.add(turn.item);
        this.#afterLoop(turn.phis);
      } else {
        this.#kept.clear();
        for (const [key, parts] of kept) this.#kept.set(key, parts);
      }
    }
  }

  /** After the loop its counters hold what its header last saw. */
  #afterLoop(phis: readonly OpenPhi[]): void {
    const { b } = this.#m;
    for (const { variable } of phis) {
      const mine = phis.filter((each) => each.variable === variable);
      this.#kept.set(
        variable,
        mine.map(({ phi }): Kept => ({ kind: "uniform", node: b.exit(phi.slot) })),
      );
    }
  }

  #mustBeUniform(node: Node, place: LoopStatement): Kept {
    if (this.#rows.isUniform(node)) return { kind: "uniform", node };
    throw new WgslError(
      "uniformity",
      place,
      "the counter and the condition of a loop that holds a barrier must be uniform",
    );
  }

  /** One attempt at the loop; adds to `varying` what turned out not to be uniform. */
  #turn(loop: LoopStatement, varying: Set<Variable>): { item: LoopItem; phis: readonly OpenPhi[] } {
    const m = this.#m;
    const { cond } = loop;
    if (cond === undefined) throw new WgslError("barrier", loop, "a loop that holds a barrier needs a condition");
    const names = assignedNames(loop);
    const changed = this.#bindings().flatMap(({ binding, name }) =>
      binding.kind === "variable" && names.has(name) ? [binding.variable] : [],
    );
    this.#toRows(changed.filter((variable) => varying.has(variable) || !this.#isKeptUniform(variable)));
    const item = newLoop(m.b.block);
    const phis = changed.flatMap((variable) => this.#uniformPhis(variable, item));
    item.cond = m.b.inside(item.header, () => this.#atWorkgroup(() => truth(m, cond)));
    this.#mustBeUniform(item.cond, loop);
    m.b.inside(item.body, () => {
      this.#nested(() => this.#sequence(loop.body, true));
      this.#update(loop);
    });
    for (const { variable, k, phi } of phis) {
      const kept = this.#kept.get(variable)?.[k];
      if (kept?.kind === "uniform") phi.next = kept.node;
      else varying.add(variable);
    }
    return { item, phis };
  }

  #update(loop: LoopStatement): void {
    const m = this.#m;
    for (const statement of loop.update) {
      const target = statement.kind === "assign" && statement.target?.kind === "name" ? statement.target.name : "";
      const binding = m.scope.find(target);
      if (binding?.kind === "variable" && this.#isKeptUniform(binding.variable)) {
        this.#atWorkgroup(() => m.execute([statement]));
        const kept = m.read(binding.variable).map((node) => this.#mustBeUniform(node, loop));
        this.#kept.set(binding.variable, kept);
      } else this.#piece([statement]);
    }
  }

  #isKeptUniform(variable: Variable): boolean {
    return this.#kept.get(variable)?.every((part) => part.kind === "uniform") ?? false;
  }

  #uniformPhis(variable: Variable, item: LoopItem): OpenPhi[] {
    if (!this.#isKeptUniform(variable)) return [];
    const phis = (this.#kept.get(variable) ?? []).flatMap((part, k) => {
      if (part.kind !== "uniform") return [];
      const slot = this.#m.b.slot(part.node.type, item.header, 0);
      const phi = { slot, init: part.node, next: slot };
      item.phis.push(phi);
      return [{ variable, k, phi }];
    });
    this.#kept.set(
      variable,
      phis.map(({ phi }): Kept => ({ kind: "uniform", node: phi.slot })),
    );
    return phis;
  }

  /** Moves variables into rows of their own, where all pieces of a loop look for them. */
  #toRows(variables: readonly Variable[]): void {
    if (variables.length === 0) return;
    this.#rows.invocations((local) => {
      for (const variable of variables) {
        const kept = (this.#kept.get(variable) ?? []).map((part): Kept => {
          if (part.kind === "row" && this.#pinned.has(part.row)) return part;
          const node = this.#rows.restore(part, local);
          const row = this.#rows.newRow(node.type);
          this.#pinned.add(row);
          this.#rows.store(node, row, local);
          return { kind: "row", row };
        });
        this.#kept.set(variable, kept);
      }
    });
  }

  /** Evaluates for the workgroup as a whole: what is not uniform has no value there that could be used. */
  #atWorkgroup<T>(run: () => T): T {
    const m = this.#m;
    for (const { key, binding } of this.#bindings()) {
      const kept = this.#kept.get(key);
      if (kept === undefined) continue;
      const parts = kept.map((part) =>
        part.kind === "uniform" ? part.node : this.#nowhere(part.kind === "row" ? part.row.type : part.node.type),
      );
      if (binding.kind === "variable") m.write(binding.variable, parts);
      else binding.value = { ...binding.value, parts };
    }
    m.once = true;
    const result = run();
    m.once = false;
    return result;
  }

  /** Stands for a value that differs between invocations, where there is none. */
  #nowhere(type: Node["type"]): Node {
    const { b } = this.#m;
    const block = b.block.child();
    this.#rows.markInside(block);
    return b.slot(type, block);
  }
}
