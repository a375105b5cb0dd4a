import type { Expression, LoopStatement, Statement } from "./ast.ts";

/** Every statement of a list and of those nested in it. */
export function eachStatement(statements: readonly Statement[], visit: (statement: Statement) => void): void {
  for (const statement of statements) {
    visit(statement);
    if (statement.kind === "block") eachStatement(statement.body, visit);
    else if (statement.kind === "if") eachStatement([...statement.then, ...statement.otherwise], visit);
    else if (statement.kind === "loop") eachStatement(partsOf(statement), visit);
  }
}

function partsOf({ init, body, update }: LoopStatement): readonly Statement[] {
  return [...(init === undefined ? [] : [init]), ...body, ...update];
}

/** The expression and all those in it. */
export function eachExpression(expression: Expression, visit: (expression: Expression) => void): void {
  visit(expression);
  for (const operand of operandsOf(expression)) eachExpression(operand, visit);
}

function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "index":
      return [expression.base, expression.index];
    case "member":
      return [expression.base];
    case "unary":
      return [expression.operand];
    case "binary":
      return [expression.left, expression.right];
    case "call":
      return expression.args;
    default:
      return [];
  }
}

/** What stands in a statement itself, without those nested in it. */
export function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case "declare":
    case "return":
      return statement.value === undefined ? [] : [statement.value];
    case "assign":
      return statement.target === undefined ? [statement.value] : [statement.target, statement.value];
    case "if":
      return [statement.cond];
    case "loop":
      return [statement.cond, statement.breakIf].filter((each) => each !== undefined);
    case "call":
      return [statement.call];
    default:
      return [];
  }
}

/** Names that a loop assigns to in its turns, wherever they are declared. */
export function assignedNames({ body, update }: Pick<LoopStatement, "body" | "update">): Set<string> {
  const names = new Set<string>();
  const root = (target: Expression): void => {
    if (target.kind === "name") names.add(target.name);
    else if (target.kind === "member" || target.kind === "index") root(target.base);
  };
  eachStatement([...body, ...update], (statement) => {
    if (statement.kind === "assign" && statement.target !== undefined) root(statement.target);
  });
  return names;
}

/** True if the statement holds a jump that belongs to the loop around it. */
export function jumps(statement: Statement, kind: "break" | "continue"): boolean {
  if (statement.kind === kind) return true;
  if (statement.kind === "block") return statement.body.some((inner) => jumps(inner, kind));
  return statement.kind === "if" && [...statement.then, ...statement.otherwise].some((inner) => jumps(inner, kind));
}
