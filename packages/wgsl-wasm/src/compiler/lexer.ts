import { WgslError, type Place } from "./errors.ts";

export type TokenKind = "name" | "number" | "symbol" | "end";

export interface Token extends Place {
  readonly kind: TokenKind;
  /** The text itself; empty at the end. */
  readonly text: string;
}

const BLANK = /(?:\s|\/\/[^\n]*)+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER =
  /0[xX](?:[0-9a-fA-F]*\.[0-9a-fA-F]+|[0-9a-fA-F]+\.?)[pP][+-]?\d+[fh]?|0[xX][0-9a-fA-F]+[iu]?|(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?[fh]?|\d+[eE][+-]?\d+[fh]?|\d+[iufh]?/y;
// `>>` and `>=` may close templates, so the parser puts them together from single `>`s that touch.
const SYMBOL = /->|\+\+|--|<<=|<<|<=|==|!=|&&|\|\||\+=|-=|\*=|\/=|%=|&=|\|=|\^=|[-+*/%&|^~!<>=(){}[\],;:.@?]/y;

/** Splits a text into tokens; comments and blanks vanish. The last token is of kind "end". */
export function tokenize(code: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  let lineStart = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(code)?.[0];
  };
  while (at < code.length) {
    const blank = match(BLANK) ?? blockComment(code, at, { line, column: at - lineStart + 1 });
    if (blank !== undefined) {
      for (let k = blank.indexOf("\n"); k >= 0; k = blank.indexOf("\n", k + 1)) {
        line++;
        lineStart = at + k + 1;
      }
      at += blank.length;
      continue;
    }
    const place = { line, column: at - lineStart + 1 };
    const found = read(match);
    if (found === undefined) throw new WgslError("syntax", place, `unexpected character ${JSON.stringify(code[at])}`);
    tokens.push({ ...found, ...place });
    at += found.text.length;
  }
  tokens.push({ kind: "end", text: "", line, column: at - lineStart + 1 });
  return tokens;
}

function read(match: (pattern: RegExp) => string | undefined): { kind: TokenKind; text: string } | undefined {
  const name = match(NAME);
  if (name !== undefined) return { kind: "name", text: name };
  const number = match(NUMBER);
  if (number !== undefined) return { kind: "number", text: number };
  const symbol = match(SYMBOL);
  return symbol === undefined ? undefined : { kind: "symbol", text: symbol };
}

/** A block comment at this place, nested ones included. */
function blockComment(code: string, start: number, place: Place): string | undefined {
  if (!code.startsWith("/*", start)) return undefined;
  let depth = 0;
  for (let at = start; at < code.length;) {
    if (code.startsWith("/*", at)) {
      depth++;
      at += 2;
    } else if (code.startsWith("*/", at)) {
      depth--;
      at += 2;
      if (depth === 0) return code.slice(start, at);
    } else at++;
  }
  throw new WgslError("syntax", place, "this comment is not closed");
}
