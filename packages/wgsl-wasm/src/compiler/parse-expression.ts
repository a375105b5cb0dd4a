import type { Expression, TypeName } from "./ast.ts";
import type { Tokens } from "./tokens.ts";

/** Names that take template arguments; a `<` after any other name compares. */
const TEMPLATED = new Set([
  "vec2",
  "vec3",
  "vec4",
  "array",
  "bitcast",
  "ptr",
  "atomic",
  "mat2x2",
  "mat2x3",
  "mat2x4",
  "mat3x2",
  "mat3x3",
  "mat3x4",
  "mat4x2",
  "mat4x3",
  "mat4x4",
]);

const PRECEDENCE = new Map<string, number>(
  Object.entries({
    "||": 1,
    "&&": 2,
    "|": 3,
    "^": 4,
    "&": 5,
    "==": 6,
    "!=": 6,
    "<": 7,
    ">": 7,
    "<=": 7,
    ">=": 7,
    "<<": 8,
    ">>": 8,
    "+": 9,
    "-": 9,
    "*": 10,
    "/": 10,
    "%": 10,
  }),
);

/** A type, with templates where it has them. */
export function parseType(tokens: Tokens): TypeName {
  const { text, line, column } = tokens.name("a type");
  const args: (TypeName | Expression)[] = [];
  if (TEMPLATED.has(text) && tokens.accept("<")) {
    if (text === "array") {
      args.push(parseType(tokens));
      if (tokens.accept(",") && !tokens.is(">")) args.push(parseShift(tokens));
    } else {
      do args.push(parseType(tokens));
      while (tokens.accept(",") && !tokens.is(">"));
    }
    tokens.expect(">");
  }
  return { name: text, args, line, column };
}

/** An expression without comparisons, which could not be told from a template's end. */
function parseShift(tokens: Tokens): Expression {
  return parseBinary(tokens, 9);
}

export function parseExpression(tokens: Tokens): Expression {
  return parseBinary(tokens, 1);
}

function parseBinary(tokens: Tokens, lowest: number): Expression {
  let left = parseUnary(tokens);
  for (;;) {
    const operator = tokens.operator();
    const precedence = PRECEDENCE.get(operator);
    if (precedence === undefined || precedence < lowest) return left;
    const { line, column } = tokens.next;
    tokens.skipOperator(operator);
    const right = parseBinary(tokens, precedence + 1);
    left = { kind: "binary", operator, left, right, line, column };
  }
}

function parseUnary(tokens: Tokens): Expression {
  const { kind, line, column } = tokens.next;
  if (kind !== "symbol") return parsePostfix(tokens);
  for (const operator of ["-", "!", "~", "&", "*"]) {
    if (tokens.accept(operator)) return { kind: "unary", operator, operand: parseUnary(tokens), line, column };
  }
  if (tokens.accept("--")) {
    const operand: Expression = { kind: "unary", operator: "-", operand: parseUnary(tokens), line, column };
    return { kind: "unary", operator: "-", operand, line, column };
  }
  return parsePostfix(tokens);
}

/** A primary expression followed by any indices and members. */
export function parsePostfix(tokens: Tokens): Expression {
  let base = parsePrimary(tokens);
  for (;;) {
    const { kind, line, column } = tokens.next;
    if (kind !== "symbol") return base;
    if (tokens.accept("[")) {
      const index = parseExpression(tokens);
      tokens.expect("]");
      base = { kind: "index", base, index, line, column };
    } else if (tokens.accept(".")) {
      base = { kind: "member", base, member: tokens.name("a member").text, line, column };
    } else return base;
  }
}

function parsePrimary(tokens: Tokens): Expression {
  const { kind, text, line, column } = tokens.next;
  if (kind === "number" || text === "true" || text === "false") {
    tokens.take();
    return { kind: "literal", text, line, column };
  }
  if (tokens.accept("(")) {
    const inner = parseExpression(tokens);
    tokens.expect(")");
    return inner;
  }
  if (kind !== "name") throw tokens.unexpected("an expression");
  const callee = parseType(tokens);
  if (!tokens.is("(")) {
    if (callee.args.length > 0) throw tokens.unexpected('"("');
    return { kind: "name", name: text, line, column };
  }
  return { kind: "call", callee, args: parseArguments(tokens), line, column };
}

export function parseArguments(tokens: Tokens): Expression[] {
  const args: Expression[] = [];
  tokens.expect("(");
  while (!tokens.is(")")) {
    args.push(parseExpression(tokens));
    if (!tokens.accept(",")) break;
  }
  tokens.expect(")");
  return args;
}
