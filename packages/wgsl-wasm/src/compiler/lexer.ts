import { WgslError, type Place } from "./errors.ts";

export type TokenKind = "name" | "number" | "symbol" | "end";

export interface Token extends Place {
  readonly kind: TokenKind;
  /** The text itself; empty at the end. */
  readonly text: string;
}

const NUMBER =
  /0[xX](?:[0-9a-fA-F]*\.[0-9a-fA-F]+|[0-9a-fA-F]+\.?)[pP][+-]?\d+[fh]?|0[xX][0-9a-fA-F]+[iu]?|(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?[fh]?|\d+[eE][+-]?\d+[fh]?|\d+[iufh]?/y;
// `>>` and `>=` may close templates, so the parser puts them together from single `>`s that touch.
const SYMBOL = /->|\+\+|--|<<=|<<|<=|==|!=|&&|\|\||\+=|-=|\*=|\/=|%=|&=|\|=|\^=|[-+*/%&|^~!<>=(){}[\],;:.@?]/y;

const CODE = { newline: 10, carriageReturn: 13, space: 32, slash: 47, star: 42, dot: 46 } as const;
/** Where a line comment ends. */
const BREAK = /[\n\v\f\r\u0085\u2028\u2029]/g;

function isBreak(code: number): boolean {
  return (code >= 10 && code <= 13) || code === 0x85 || code === 0x2028 || code === 0x2029;
}

function isBlank(code: number): boolean {
  return code === CODE.space || code === 9 || isBreak(code) || code === 0x200e || code === 0x200f;
}

function isNameStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Splits a text into tokens; comments and blanks vanish. The last token is of kind "end". */
export function tokenize(code: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let lineStart = 0;
  let at = 0;
  /** Over blanks and comments, lines counted: one that ends with two characters is one. */
  const skipTo = (end: number): void => {
    for (; at < end; at++) {
      const each = code.charCodeAt(at);
      if (!isBreak(each)) continue;
      if (each !== CODE.newline || code.charCodeAt(at - 1) !== CODE.carriageReturn) line++;
      lineStart = at + 1;
    }
  };
  while (at < code.length) {
    const first = code.charCodeAt(at);
    if (first === CODE.space) {
      at++;
      continue;
    }
    if (isBlank(first)) {
      skipTo(at + 1);
      continue;
    }
    const column = at - lineStart + 1;
    const second = first === CODE.slash ? code.charCodeAt(at + 1) : 0;
    if (second === CODE.slash) {
      BREAK.lastIndex = at;
      at = BREAK.exec(code)?.index ?? code.length;
    } else if (second === CODE.star) skipTo(endOfComment(code, at, { line, column }));
    else {
      const token = readToken(code, at, first, line, column);
      tokens.push(token);
      at += token.text.length;
    }
  }
  tokens.push({ kind: "end", text: "", line, column: at - lineStart + 1 });
  return tokens;
}

function readToken(code: string, at: number, first: number, line: number, column: number): Token {
  if (isNameStart(first)) {
    let end = at + 1;
    for (let next = code.charCodeAt(end); isNameStart(next) || isDigit(next); next = code.charCodeAt(end)) end++;
    return { kind: "name", text: code.slice(at, end), line, column };
  }
  const numeric = isDigit(first) || (first === CODE.dot && isDigit(code.charCodeAt(at + 1)));
  const pattern = numeric ? NUMBER : SYMBOL;
  pattern.lastIndex = at;
  const text = pattern.exec(code)?.[0];
  if (text === undefined) {
    throw new WgslError("syntax", { line, column }, `unexpected character ${JSON.stringify(code[at])}`);
  }
  return { kind: numeric ? "number" : "symbol", text, line, column };
}

/** Where a block comment ends, nested ones included. */
function endOfComment(code: string, start: number, place: Place): number {
  let depth = 0;
  for (let at = start; at < code.length;) {
    if (code.startsWith("/*", at)) {
      depth++;
      at += 2;
    } else if (code.startsWith("*/", at)) {
      depth--;
      at += 2;
      if (depth === 0) return at;
    } else at++;
  }
  throw new WgslError("syntax", place, "this comment is not closed");
}
