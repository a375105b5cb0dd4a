import type { Expression, TypeName } from "./ast.ts";
import { WgslError } from "./errors.ts";
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
    tokens.enter();
    if (text === "array") {
      args.push(parseType(tokens));
      if (tokens.accept(",") && !tokens.is(">")) args.push(parseShift(tokens));
    } else {
      do args.push(parseType(tokens));
      while (tokens.accept(",") && !tokens.is(">"));
    }
    tokens.expect(">");
    tokens.leave();
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

/** An expression, and the operator that it is made by, if that does not stand in parentheses. */
interface Operand {
  readonly expression: Expression;
  readonly operator?: string;
}

function parseBinary(tokens: Tokens, lowest: number): Expression {
  return parseOperand(tokens, lowest).expression;
}

function parseOperand(tokens: Tokens, lowest: number): Operand {
  let left: Operand = { expression: parseUnary(tokens) };
  for (let length = 0; ; length++) {
    const operator = tokens.operator();
    const precedence = PRECEDENCE.get(operator);
    if (precedence === undefined || precedence < lowest) return left;
    tokens.chained(length);
    const { line, column } = tokens.next;
    tokens.skipOperator(operator);
    const right = parseOperand(tokens, precedence + 1);
    for (const { operator: inner } of [left, right])
      if (inner !== undefined && !mixes(inner, operator))
        throw new WgslError("syntax", { line, column }, `${inner} beside ${operator} needs parentheses`);
    const expression: Expression = {
      kind: "binary",
      operator,
      left: left.expression,
      right: right.expression,
      line,
      column,
    };
    left = { expression, operator };
  }
}

/** Whether WGSL lets one operator stand in an operand of another without parentheses. */
function mixes(inner: string, outer: string): boolean {
  const [p = 0, q = 0] = [PRECEDENCE.get(inner), PRECEDENCE.get(outer)];
  if (q >= 9) return true;
  if (q === 6 || q === 7) return p >= 8;
  return (inner === outer && q !== 8) || (q <= 2 && p >= 6);
}

function parseUnary(tokens: Tokens): Expression {
  tokens.enter();
  const expression = parseSigned(tokens);
  tokens.leave();
  return expression;
}

function parseSigned(tokens: Tokens): Expression {
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
  for (let length = 0; ; length++) {
    const { kind, line, column } = tokens.next;
    if (kind !== "symbol") return base;
    tokens.chained(length);
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
