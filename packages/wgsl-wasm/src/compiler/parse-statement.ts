import type { Expression, LoopStatement, Statement } from "./ast.ts";
import { WgslError, type Place } from "./errors.ts";
import { parseExpression, parsePostfix, parseType } from "./parse-expression.ts";
import type { Tokens } from "./tokens.ts";

const ASSIGNMENTS = new Set(["+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="]);

/** Statements up to the closing brace, both braces included. */
export function parseBlock(tokens: Tokens): Statement[] {
  tokens.expect("{");
  const body: Statement[] = [];
  while (!tokens.is("}")) {
    if (tokens.next.kind === "end") throw tokens.unexpected('"}"');
    if (!tokens.accept(";")) body.push(parseStatement(tokens));
  }
  tokens.expect("}");
  return body;
}

function parseStatement(tokens: Tokens): Statement {
  tokens.enter();
  const statement = parseAny(tokens);
  tokens.leave();
  return statement;
}

function parseAny(tokens: Tokens): Statement {
  const { text, line, column } = tokens.next;
  const place = { line, column };
  switch (text) {
    case "{":
      return { kind: "block", body: parseBlock(tokens), ...place };
    case "if":
      return parseIf(tokens, place);
    case "for":
      return parseFor(tokens, place);
    case "while":
      tokens.take();
      return loop(place, { cond: parseExpression(tokens), body: parseBlock(tokens) });
    case "loop":
      return parseLoop(tokens, place);
    case "switch":
    case "discard":
    case "const_assert":
      throw new WgslError("unsupported", place, `${text} statements are outside the subset`);
    case "break":
    case "continue":
      tokens.take();
      tokens.expect(";");
      return { kind: text, ...place };
    case "return": {
      tokens.take();
      const value = tokens.is(";") ? undefined : parseExpression(tokens);
      tokens.expect(";");
      return { kind: "return", value, ...place };
    }
    default: {
      const statement = parseSimple(tokens);
      tokens.expect(";");
      return statement;
    }
  }
}

/** What may stand in the header of a `for`: a declaration, an assignment or a call. */
function parseSimple(tokens: Tokens): Statement {
  const { text, line, column } = tokens.next;
  const place = { line, column };
  if (text === "let" || text === "var" || text === "const") return parseDeclaration(tokens, text, place);
  if (tokens.is("_")) {
    tokens.take();
    tokens.expect("=");
    return { kind: "assign", target: undefined, operator: undefined, value: parseExpression(tokens), ...place };
  }
  if (tokens.is("*") || tokens.is("&")) throw new WgslError("pointer", place, "pointers are outside the subset");
  const target = parsePostfix(tokens);
  if (target.kind === "call") return { kind: "call", call: target, ...place };
  const operator = tokens.operator();
  if (operator === "++" || operator === "--") {
    tokens.take();
    const value: Expression = { kind: "literal", text: "1", ...place };
    return { kind: "assign", target, operator: operator === "++" ? "+" : "-", value, ...place };
  }
  if (operator === "=") {
    tokens.take();
    return { kind: "assign", target, operator: undefined, value: parseExpression(tokens), ...place };
  }
  if (!ASSIGNMENTS.has(operator)) throw tokens.unexpected("an assignment");
  tokens.skipOperator(operator);
  return { kind: "assign", target, operator: operator.slice(0, -1), value: parseExpression(tokens), ...place };
}

function parseDeclaration(tokens: Tokens, how: "let" | "var" | "const", place: Place): Statement {
  tokens.take();
  if (tokens.is("<")) throw new WgslError("unsupported", place, "a variable in a function has no address space here");
  const name = tokens.name("a name").text;
  const type = tokens.accept(":") ? parseType(tokens) : undefined;
  const value = tokens.accept("=") ? parseExpression(tokens) : undefined;
  if (value === undefined && (how !== "var" || type === undefined)) throw tokens.unexpected('"="');
  return { kind: "declare", how, name, type, value, ...place };
}

function parseIf(tokens: Tokens, place: Place): Statement {
  tokens.expect("if");
  const cond = parseExpression(tokens);
  const then = parseBlock(tokens);
  let otherwise: readonly Statement[] = [];
  if (tokens.accept("else")) {
    otherwise = tokens.is("if") ? [parseStatement(tokens)] : parseBlock(tokens);
  }
  return { kind: "if", cond, then, otherwise, ...place };
}

function parseFor(tokens: Tokens, place: Place): Statement {
  tokens.expect("for");
  tokens.expect("(");
  const init = tokens.is(";") ? undefined : parseSimple(tokens);
  tokens.expect(";");
  const cond = tokens.is(";") ? undefined : parseExpression(tokens);
  tokens.expect(";");
  const update = tokens.is(")") ? [] : [parseSimple(tokens)];
  tokens.expect(")");
  return loop(place, { init, cond, update, body: parseBlock(tokens) });
}

/** `loop { … continuing { … break if c; } }` */
function parseLoop(tokens: Tokens, place: Place): Statement {
  tokens.expect("loop");
  tokens.expect("{");
  const body: Statement[] = [];
  const update: Statement[] = [];
  let breakIf: Expression | undefined;
  while (!tokens.is("}")) {
    if (tokens.accept("continuing")) {
      tokens.expect("{");
      while (!tokens.is("}")) {
        if (tokens.is("break") && tokens.isAhead(1, "if")) {
          tokens.take();
          tokens.take();
          breakIf = parseExpression(tokens);
          tokens.expect(";");
        } else update.push(parseStatement(tokens));
      }
      tokens.expect("}");
    } else if (!tokens.accept(";")) body.push(parseStatement(tokens));
  }
  tokens.expect("}");
  return loop(place, { body, update, breakIf, continuing: true });
}

interface LoopParts {
  readonly init?: Statement | undefined;
  readonly cond?: Expression | undefined;
  readonly update?: readonly Statement[];
  readonly breakIf?: Expression | undefined;
  readonly continuing?: boolean;
  readonly body: readonly Statement[];
}

function loop(place: Place, { init, cond, update = [], breakIf, continuing = false, body }: LoopParts): LoopStatement {
  return { kind: "loop", init, cond, update, breakIf, continuing, body, ...place };
}
