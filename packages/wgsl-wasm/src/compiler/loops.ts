import type { Expression, LoopStatement, Statement } from "./ast.ts";
import type { Environment, Frame, Variable, Way } from "./environment.ts";
import { truth } from "./expressions.ts";
import { runToEnd } from "./functions.ts";
import { newLoop, type LoopItem } from "./ir.ts";
import type { Machine } from "./machine.ts";

const MAX_TRIPS = 16;
/** Loops up to this many statements times trips are unrolled even if nothing needs it. */
const CHEAP = 16;

/** A loop's scope is open already: its `init` may declare a counter. */
export function runLoop(m: Machine, loop: LoopStatement): void {
  if (loop.init !== undefined) m.execute([loop.init]);
  const trips = constantTrips(m, loop);
  if (trips !== undefined && (trips <= 1 || trips * weigh(loop.body) <= CHEAP || needsConstants(m, loop))) {
    for (let k = 0; k < trips; k++) {
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
  const body = (): void => m.scoped(() => m.execute(loop.body));
  if (loop.body.some((statement) => jumps(statement, "continue"))) runToEnd(m, "continue", undefined, body);
  else body();
  if (!m.alive) return;
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

/** Names that statements assign to, wherever they are declared. */
export function assignedNames(loop: LoopStatement): Set<string> {
  const names = new Set<string>();
  const root = (target: Expression): void => {
    if (target.kind === "name") names.add(target.name);
    else if (target.kind === "member" || target.kind === "index") root(target.base);
  };
  visit([...loop.body, ...loop.update], (statement) => {
    if (statement.kind === "assign" && statement.target !== undefined) root(statement.target);
  });
  return names;
}

function visit(statements: readonly Statement[], each: (statement: Statement) => void): void {
  for (const statement of statements) {
    each(statement);
    if (statement.kind === "block") visit(statement.body, each);
    else if (statement.kind === "if") visit([...statement.then, ...statement.otherwise], each);
    else if (statement.kind === "loop")
      visit([...(statement.init === undefined ? [] : [statement.init]), ...statement.body, ...statement.update], each);
  }
}

/** True if the statement holds a jump that belongs to the loop around it. */
export function jumps(statement: Statement, kind: "break" | "continue"): boolean {
  if (statement.kind === kind) return true;
  if (statement.kind === "block") return statement.body.some((inner) => jumps(inner, kind));
  return statement.kind === "if" && [...statement.then, ...statement.otherwise].some((inner) => jumps(inner, kind));
}

/** How often a loop with a constant counter turns, if that is known and little. */
function constantTrips(m: Machine, loop: LoopStatement): number | undefined {
  const { init, cond, update, body, breakIf } = loop;
  if (init?.kind !== "declare" || cond?.kind !== "binary" || update.length !== 1 || breakIf !== undefined)
    return undefined;
  const [step] = update;
  if (step?.kind !== "assign" || step.target?.kind !== "name" || step.target.name !== init.name) return undefined;
  if (
    cond.left.kind !== "name" ||
    cond.left.name !== init.name ||
    assignedNames({ ...loop, update: [] }).has(init.name)
  )
    return undefined;
  if (body.some((statement) => jumps(statement, "break") || jumps(statement, "continue"))) return undefined;
  return countTrips(m, init.name, cond, step);
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
  visit(statements, (statement) => (sum += statement.kind === "loop" ? 10 : statement.kind === "call" ? 5 : 1));
  return sum;
}

/** True if the body indexes a private array or a vector with something that hangs on the counter. */
function needsConstants(m: Machine, loop: LoopStatement): boolean {
  let found = false;
  const look = (expression: Expression): void => {
    switch (expression.kind) {
      case "index":
        found ||= isPrivate(m, expression.base) && expression.index.kind !== "literal";
        look(expression.base);
        look(expression.index);
        return;
      case "member":
        return look(expression.base);
      case "unary":
        return look(expression.operand);
      case "binary":
        look(expression.left);
        look(expression.right);
        return;
      case "call":
        return expression.args.forEach(look);
      default:
        return;
    }
  };
  visit(loop.body, (statement) => expressionsOf(statement).forEach(look));
  return found;
}

function isPrivate(m: Machine, base: Expression): boolean {
  if (base.kind === "index" || base.kind === "member") return isPrivate(m, base.base);
  return base.kind === "name" && !m.context.memory.has(base.name);
}

function expressionsOf(statement: Statement): Expression[] {
  const all: (Expression | undefined)[] =
    statement.kind === "declare" || statement.kind === "return"
      ? [statement.value]
      : statement.kind === "assign"
        ? [statement.target, statement.value]
        : statement.kind === "if" || statement.kind === "loop"
          ? [statement.cond]
          : statement.kind === "call"
            ? [statement.call]
            : [];
  return all.filter((expression) => expression !== undefined);
}
