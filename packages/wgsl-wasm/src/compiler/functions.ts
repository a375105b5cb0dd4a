import type { FunctionDeclaration, Member, Statement } from "./ast.ts";
import { Scope, type Frame, type Variable } from "./environment.ts";
import { WgslError, type Place } from "./errors.ts";
import type { ScopeItem } from "./ir.ts";
import type { Machine } from "./machine.ts";
import { coerce, zeroOf, type Value } from "./values.ts";

/** Runs a function's body in place of the call. */
export function callFunction(
  m: Machine,
  declaration: FunctionDeclaration,
  args: readonly Value[],
  place: Place,
): Value | undefined {
  const { name, parameters, body } = declaration;
  if (m.calls.includes(declaration)) throw new WgslError("recursion", place, `${name} calls itself`);
  if (args.length !== parameters.length)
    throw new WgslError("type", place, `${name} takes ${parameters.length} values, got ${args.length}`);
  m.step(place);
  m.calls.push(declaration);
  // Its jumps are its own: a break belongs to no loop of the caller's.
  const outer = m.frames.splice(0);
  let result: Value | undefined;
  m.scoped(() => {
    parameters.forEach((parameter, k) => declareParameter(m, parameter, args[k], place));
    result = hasOneReturn(body) ? runStraight(m, declaration) : runWithReturns(m, declaration);
  }, new Scope());
  m.frames.push(...outer);
  m.calls.pop();
  return result;
}

function declareParameter(
  m: Machine,
  { name, type, line, column }: Member,
  arg: Value | undefined,
  place: Place,
): void {
  if (type.name === "ptr")
    throw new WgslError("pointer", { line, column }, "pointer parameters are outside the subset");
  if (m.scope.has(name)) throw new WgslError("name", { line, column }, `${name} is declared a second time`);
  if (arg === undefined) return;
  const value = coerce(m.b, arg, m.context.mustType(type), place);
  m.scope.declare(name, { kind: "value", value });
}

/** True if nothing returns but the last statement. */
function hasOneReturn(body: readonly Statement[]): boolean {
  return body.every((statement, k) => (statement.kind === "return" ? k === body.length - 1 : !returns(statement)));
}

export function returns(statement: Statement): boolean {
  switch (statement.kind) {
    case "return":
      return true;
    case "block":
    case "loop":
      return statement.body.some(returns);
    case "if":
      return statement.then.some(returns) || statement.otherwise.some(returns);
    default:
      return false;
  }
}

function runStraight(m: Machine, { body, result, name }: FunctionDeclaration): Value | undefined {
  const last = body.at(-1);
  if (last?.kind !== "return") {
    m.execute(body);
    if (result !== undefined) throw new WgslError("type", result, `${name} does not return a value`);
    return undefined;
  }
  m.execute(body.slice(0, -1));
  if (last.value === undefined || result === undefined) {
    if (last.value !== undefined || result !== undefined)
      throw new WgslError("type", last, `${name}: the return does not fit the declaration`);
    return undefined;
  }
  return coerce(m.b, m.evaluate(last.value), m.context.mustType(result), last);
}

/** Returns in the middle are jumps to the end of the body; the result is a variable that they set. */
function runWithReturns(m: Machine, { body, result, name }: FunctionDeclaration): Value | undefined {
  const type = result === undefined ? undefined : m.context.mustType(result);
  const variable: Variable | undefined = type === undefined ? undefined : { name: `result of ${name}`, type };
  if (variable !== undefined) m.write(variable, zeroOf(m.b, variable.type).parts);
  runToEnd(m, "function", variable, () => {
    m.execute(body);
    if (m.alive && result !== undefined)
      throw new WgslError("type", result, `${name} does not return a value at its end`);
  });
  if (variable === undefined) return undefined;
  const parts = m.read(variable);
  m.env.delete(variable);
  return { type: variable.type, parts };
}

/** Runs `body` in a scope to whose end jumps of that kind go. */
export function runToEnd(m: Machine, kind: Frame["kind"], result: Variable | undefined, body: () => void): void {
  const item: ScopeItem = { kind: "scope", block: m.b.block.child(), hasJumps: false };
  const frame: Frame = { kind, item, ways: [], result };
  const before = new Map(m.env);
  m.frames.push(frame);
  m.b.inside(item.block, body);
  m.frames.pop();
  m.b.add(item);
  if (m.alive) {
    const sets: Frame["ways"][number]["sets"] = [];
    frame.ways.push({ env: m.env, sets });
    item.block.items.push({ kind: "set", sets });
  }
  m.merge(frame.ways, before);
}
