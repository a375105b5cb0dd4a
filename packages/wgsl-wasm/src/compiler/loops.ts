import type { Expression, LoopStatement, Statement } from "./ast.ts";
import type { Environment, Frame, Variable, Way } from "./environment.ts";
import { WgslError } from "./errors.ts";
import { truth } from "./expressions.ts";
import { runToEnd } from "./functions.ts";
import { newLoop, type LoopItem } from "./ir.ts";
import type { Machine } from "./machine.ts";
import { assignedNames, eachExpression, eachStatement, expressionsOf, jumps } from "./walk.ts";

const MAX_TRIPS = 16;
/** Loops up to this many statements times trips are unrolled even if nothing needs it. */
const CHEAP = 16;

/** A loop's scope is open already: its `init` may declare a counter. */
export function runLoop(m: Machine, loop: LoopStatement): void {
  if (loop.init !== undefined) m.execute([loop.init]);
  const trips = constantTrips(m, loop);
  if (trips !== undefined && (trips <= 1 || trips * weigh(loop.body) <= CHEAP || needsConstants(m, loop))) {
    for (let k = 0; k < trips; k++) {
      m.step(loop);
      m.scoped(() => m.execute(loop.body));
      m.execute(loop.update);
    }
    return;
  }
  runRealLoop(m, loop);
}

function runRealLoop(m: Machine, loop: LoopStatement): void {
  const item = newLoop(m.b.block);
  const phis = openPhis(m, item, assignedNames(loop));
  const frame: Frame = { kind: "loop", item, ways: [] };
  m.frames.push(frame);
  const { cond } = loop;
  if (cond !== undefined) item.cond = m.b.inside(item.header, () => truth(m, cond));
  const atHeader: Environment = new Map(m.env);
  m.b.inside(item.body, () => runBody(m, loop));
  if (m.alive) for (const { variable, k, phi } of phis) phi.next = m.read(variable)[k] ?? phi.slot;
  m.frames.pop();
  m.b.add(item);
  leave(m, item, frame, atHeader);
}

function runBody(m: Machine, loop: LoopStatement): void {
  if (loop.body.some((statement) => jumps(statement, "continue"))) {
    if (loop.continuing) withoutNamesOf(loop);
    runToEnd(m, "continue", undefined, () => m.scoped(() => m.execute(loop.body)));
    if (m.alive) runUpdate(m, loop);
  } else if (loop.continuing)
    m.scoped(() => {
      m.execute(loop.body);
      if (m.alive) runUpdate(m, loop);
    });
  else {
    m.scoped(() => m.execute(loop.body));
    if (m.alive) runUpdate(m, loop);
  }
}

/** A continuing block sees the names of its loop's body; what they hold is lost where a `continue` leads to it. */
function withoutNamesOf({ body, update, breakIf }: LoopStatement): void {
  const names = new Set(body.flatMap((statement) => (statement.kind === "declare" ? [statement.name] : [])));
  const look = (expression: Expression): void =>
    eachExpression(expression, (each) => {
      if (each.kind === "name" && names.has(each.name))
        throw new WgslError("unsupported", each, `${each.name} is declared in a body that has a continue`);
    });
  eachStatement(update, (statement) => expressionsOf(statement).forEach(look));
  if (breakIf !== undefined) look(breakIf);
}

function runUpdate(m: Machine, loop: LoopStatement): void {
  m.execute(loop.update);
  const { breakIf } = loop;
  if (breakIf === undefined) return;
  const stop: Statement = { kind: "break", line: breakIf.line, column: breakIf.column };
  m.execute([{ kind: "if", cond: breakIf, then: [stop], otherwise: [], line: breakIf.line, column: breakIf.column }]);
}

interface OpenPhi {
  readonly variable: Variable;
  readonly k: number;
  readonly phi: LoopItem["phis"][number];
}

/** A slot for every part of every variable that the loop assigns. */
function openPhis(m: Machine, item: LoopItem, names: ReadonlySet<string>): OpenPhi[] {
  const open: OpenPhi[] = [];
  for (const [variable, parts] of m.env) {
    if (!names.has(variable.name)) continue;
    const slots = parts.map((init, k) => {
      const slot = m.b.slot(init.type, item.header, 0);
      const phi = { slot, init, next: slot };
      item.phis.push(phi);
      open.push({ variable, k, phi });
      return slot;
    });
    m.write(variable, slots);
  }
  return open;
}

/** Goes on after the loop, which ended at its header or by jumps. */
function leave(m: Machine, item: LoopItem, frame: Frame, atHeader: Environment): void {
  const ways: Way[] = [...frame.ways];
  if (item.cond !== undefined) ways.push({ env: atHeader, sets: item.exitSets });
  m.merge(ways, atHeader);
  const slots = new Set(item.phis.map((phi) => phi.slot));
  for (const [variable, parts] of m.env)
    if (parts.some((part) => slots.has(part)))
      m.write(
        variable,
        parts.map((part) => (slots.has(part) ? m.b.exit(part) : part)),
      );
}

/** How often a loop with a constant counter turns, if that is known and little. */
function constantTrips(m: Machine, loop: LoopStatement): number | undefined {
  const { init, cond, update, body, breakIf } = loop;
  if (init?.kind !== "declare" || cond?.kind !== "binary" || update.length !== 1 || breakIf !== undefined)
    return undefined;
  const [step] = update;
  if (step?.kind !== "assign" || step.target?.kind !== "name" || step.target.name !== init.name) return undefined;
  if (cond.left.kind !== "name" || cond.left.name !== init.name) return undefined;
  const assigned = assignedNames({ body, update: [] });
  if (![cond, step.target, step.value].every((expression) => isSteady(m, expression, assigned))) return undefined;
  if (body.some((statement) => jumps(statement, "break") || jumps(statement, "continue"))) return undefined;
  return countTrips(m, init.name, cond, step);
}

/** True if the turns of a loop, which assign these names, cannot change the value, and nothing happens by its computation. */
function isSteady(m: Machine, expression: Expression, assigned: ReadonlySet<string>): boolean {
  let steady = true;
  eachExpression(expression, (each) => {
    if (each.kind === "name") steady &&= !assigned.has(each.name);
    else if (each.kind === "call") steady &&= m.context.function(each.callee.name) === undefined;
  });
  return steady;
}

/** Turns the counter alone, on constants. */
function countTrips(m: Machine, name: string, cond: Expression, step: Statement): number | undefined {
  const binding = m.scope.find(name);
  if (binding?.kind !== "variable") return undefined;
  const start = m.read(binding.variable);
  if (start.some((part) => part.kind !== "const")) return undefined;
  let trips: number | undefined;
  m.b.inside(m.b.block.child(), () => {
    for (let k = 0; k <= MAX_TRIPS; k++) {
      const test = truth(m, cond);
      if (test.kind !== "const" || m.read(binding.variable).some((part) => part.kind !== "const")) break;
      if (test.imm === 0) {
        trips = k;
        break;
      }
      m.execute([step]);
    }
  });
  m.write(binding.variable, start);
  return trips;
}

/** Statements, those of inner loops counted tenfold. */
function weigh(statements: readonly Statement[]): number {
  let sum = 0;
  eachStatement(statements, (statement) => (sum += statement.kind === "loop" ? 10 : statement.kind === "call" ? 5 : 1));
  return sum;
}

/** True if the body indexes a private array or a vector with something that hangs on the counter. */
function needsConstants(m: Machine, loop: LoopStatement): boolean {
  let found = false;
  eachStatement(loop.body, (statement) => {
    for (const expression of expressionsOf(statement))
      eachExpression(expression, (each) => {
        found ||= each.kind === "index" && each.index.kind !== "literal" && isPrivate(m, each.base);
      });
  });
  return found;
}

function isPrivate(m: Machine, base: Expression): boolean {
  if (base.kind === "index" || base.kind === "member") return isPrivate(m, base.base);
  return base.kind === "name" && (m.scope.find(base.name) !== undefined || !m.context.memory.has(base.name));
}
