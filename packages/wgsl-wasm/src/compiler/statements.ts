import type { Expression, Statement } from "./ast.ts";
import { newJump, type Way } from "./environment.ts";
import { WgslError } from "./errors.ts";
import { truth } from "./expressions.ts";
import { runLoop } from "./loops.ts";
import type { Machine } from "./machine.ts";
import { binary } from "./operators.ts";
import { loadReference, referenceOf, storeReference } from "./references.ts";
import { coerce, concrete, zeroOf } from "./values.ts";
import { eachExpression } from "./walk.ts";

export function executeAll(m: Machine, statements: readonly Statement[]): void {
  for (const statement of statements) {
    if (!m.alive) return;
    execute(m, statement);
  }
}

function execute(m: Machine, statement: Statement): void {
  switch (statement.kind) {
    case "block":
      return m.scoped(() => executeAll(m, statement.body));
    case "declare":
      return declare(m, statement);
    case "assign":
      return assign(m, statement);
    case "if":
      return branch(m, statement);
    case "loop":
      return m.scoped(() => runLoop(m, statement));
    case "break":
      return jump(m, m.frame(["loop"], statement, "break"));
    case "continue":
      return jump(m, m.frame(["continue"], statement, "continue"));
    case "return":
      return giveBack(m, statement);
    case "call":
      return callStatement(m, statement.call);
  }
}

function jump(m: Machine, frame: ReturnType<Machine["frame"]>): void {
  m.b.add(newJump(frame, m.env));
  m.alive = false;
}

function giveBack(m: Machine, statement: Statement & { kind: "return" }): void {
  const frame = [...m.frames].reverse().find((each) => each.kind === "function");
  if (frame === undefined) throw new WgslError("early-return", statement, "a return in a place that cannot return");
  if ((frame.result === undefined) !== (statement.value === undefined))
    throw new WgslError("type", statement, "the return does not fit the declaration");
  if (frame.result !== undefined && statement.value !== undefined)
    m.write(frame.result, coerce(m.b, m.evaluate(statement.value), frame.result.type, statement).parts);
  jump(m, frame);
}

function declare(m: Machine, statement: Statement & { kind: "declare" }): void {
  const { how, name, type: typeName, value: expression } = statement;
  if (m.scope.has(name)) throw new WgslError("name", statement, `${name} is declared a second time`);
  const type = typeName === undefined ? undefined : m.context.mustType(typeName);
  let value = expression === undefined ? undefined : m.evaluate(expression);
  if (value !== undefined && type !== undefined) value = coerce(m.b, value, type, statement);
  if (value !== undefined && how !== "const") value = concrete(m.b, value, statement);
  if (how === "const" && expression !== undefined) mustBeConstant(m, expression);
  if (how !== "var" && value !== undefined)
    return m.scope.declare(name, { kind: "value", value, constant: how === "const" });
  const variableType = type ?? value?.type;
  if (variableType === undefined) throw new WgslError("type", statement, `${name} has no type`);
  if (variableType.kind === "array" && variableType.length === undefined)
    throw new WgslError("type", statement, `${name}: an array in a function needs a length`);
  const variable = { name, type: variableType };
  m.scope.declare(name, { kind: "variable", variable });
  m.write(variable, value?.parts ?? zeroOf(m.b, variableType).parts);
}

/** A constant is made of constants: a value that happens to be known here would be refused elsewhere. */
function mustBeConstant(m: Machine, expression: Expression): void {
  eachExpression(expression, (each) => {
    const binding = each.kind === "name" ? m.scope.find(each.name) : undefined;
    const known =
      binding === undefined
        ? !(each.kind === "name" && m.context.memory.has(each.name))
        : binding.kind === "value" && binding.constant === true;
    const calls = each.kind === "call" && m.context.function(each.callee.name) !== undefined;
    if (!known || calls) throw new WgslError("constant", each, "a const is made of constants");
  });
}

function assign(m: Machine, statement: Statement & { kind: "assign" }): void {
  const { target, operator } = statement;
  if (target === undefined) {
    m.evaluate(statement.value);
    return;
  }
  const reference = referenceOf(m, target);
  if (reference === undefined) throw new WgslError("type", target, "only variables and memory can be assigned to");
  if (operator === undefined) return storeReference(m, reference, m.evaluate(statement.value), statement);
  // What the target holds is taken before the right side is computed, which may change it.
  const old = loadReference(m, reference, target);
  storeReference(m, reference, binary(m.b, operator, old, m.evaluate(statement.value), statement), statement);
}

function callStatement(m: Machine, call: Expression): void {
  if (call.kind !== "call") return;
  const declared = m.context.function(call.callee.name);
  if (declared === undefined) {
    if (/Barrier$/.test(call.callee.name))
      throw new WgslError(
        "barrier",
        call,
        "barriers stand at the top level of the entry point, or in a loop there with a uniform counter",
      );
    m.evaluate(call);
    return;
  }
  const args = call.args.map((arg) => m.evaluate(arg));
  m.call(declared, args, call);
}

function branch(m: Machine, statement: Statement & { kind: "if" }): void {
  const cond = truth(m, statement.cond);
  if (cond.kind === "const")
    return m.scoped(() => executeAll(m, cond.imm !== 0 ? statement.then : statement.otherwise));
  const before = m.env;
  const ways: Way[] = [];
  const run = (body: readonly Statement[]): ReturnType<typeof m.b.block.child> => {
    const block = m.b.block.child();
    m.env = new Map(before);
    m.alive = true;
    m.b.inside(block, () => m.scoped(() => executeAll(m, body)));
    if (m.alive) {
      const way: Way = { env: m.env, sets: [] };
      block.items.push({ kind: "set", sets: way.sets });
      ways.push(way);
    }
    return block;
  };
  const then = run(statement.then);
  const otherwise = run(statement.otherwise);
  m.b.add({ kind: "if", cond, then, otherwise });
  m.merge(ways, before);
}
