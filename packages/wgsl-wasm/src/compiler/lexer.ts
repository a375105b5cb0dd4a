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

const CODE = { newline: 10, space: 32, slash: 47, star: 42, dot: 46 } as const;

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
  while (at < code.length) {
    const first = code.charCodeAt(at);
    if (first <= CODE.space) {
      at++;
      if (first === CODE.newline) {
        line++;
        lineStart = at;
      }
      continue;
    }
    const column = at - lineStart + 1;
    const second = first === CODE.slash ? code.charCodeAt(at + 1) : 0;
    if (second === CODE.slash) {
      const end = code.indexOf("\n", at);
      at = end < 0 ? code.length : end;
    } else if (second === CODE.star) {
      const end = endOfComment(code, at, { line, column });
      for (let k = code.indexOf("\n", at); k >= 0 && k < end; k = code.indexOf("\n", k + 1)) {
        line++;
        lineStart = k + 1;
      }
      at = end;
    } else {
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
