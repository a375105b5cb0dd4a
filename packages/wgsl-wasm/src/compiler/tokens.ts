import { WgslError } from "./errors.ts";
import { tokenize, type Token } from "./lexer.ts";
import { notAName } from "./words.ts";

/** Parentheses, operators and statements in each other: as many as Tint lets stand. */
const MOST_NESTED = 128;
/** Operators or members in a row, each of which takes what the one before it gives: the same. */
const MOST_CHAINED = 512;

/** The tokens of a text with a place in them: what a parser reads from. */
export class Tokens {
  readonly #tokens: readonly Token[];
  #at = 0;
  #nested = 0;

  constructor(code: string) {
    this.#tokens = tokenize(code);
  }

  get next(): Token {
    return this.#tokens[this.#at] ?? this.#peek(0);
  }

  #peek(ahead: number): Token {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new WgslError("syntax", { line: 1, column: 1 }, "the text is empty");
    return token;
  }

  /** The operator at this place: `>` is joined with what touches it, for the lexer leaves it alone. */
  operator(): string {
    const { text, kind } = this.next;
    if (kind !== "symbol" || text !== ">") return kind === "symbol" ? text : "";
    let joined = text;
    for (let k = 1; k < 3; k++) {
      const token = this.#peek(k);
      const touches = token.line === this.next.line && token.column === this.next.column + k;
      if (!touches || (token.text !== ">" && token.text !== "=" && token.text !== "==")) break;
      joined += token.text;
    }
    return [">>=", ">=", ">>"].find((known) => joined.startsWith(known) && joined !== ">==") ?? ">";
  }

  /** Steps over an operator as `operator` joined it. */
  skipOperator(operator: string): void {
    this.#at += operator.startsWith(">") ? operator.length : 1;
  }

  /** Notes that a parser calls itself; `leave` when it is done. */
  enter(): void {
    if (++this.#nested > MOST_NESTED)
      throw new WgslError("unsupported", this.next, `what nests more than ${MOST_NESTED} deep is outside the subset`);
  }

  leave(): void {
    this.#nested--;
  }

  /** Refuses what stands here where `length` of its kind stand before it. */
  chained(length: number): void {
    if (length < MOST_CHAINED) return;
    const message = `an expression of more than ${MOST_CHAINED} operations in a row is outside the subset: name what some of them give`;
    throw new WgslError("unsupported", this.next, message);
  }

  take(): Token {
    const token = this.next;
    this.#at++;
    return token;
  }

  is(text: string): boolean {
    // The end's text is empty, so it is nothing that anybody asks for.
    return this.next.text === text;
  }

  isAhead(ahead: number, text: string): boolean {
    return this.#peek(ahead).text === text;
  }

  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.#at++;
    return true;
  }

  expect(text: string): Token {
    if (this.is(text)) return this.take();
    throw this.#unexpected(`"${text}"`);
  }

  name(what: string): Token {
    if (this.next.kind !== "name") throw this.#unexpected(what);
    const kept = notAName(this.next.text);
    if (kept !== undefined) throw new WgslError("name", this.next, `${JSON.stringify(this.next.text)} is ${kept}`);
    return this.take();
  }

  #unexpected(wanted: string): WgslError {
    const got = this.next.kind === "end" ? "the end of the text" : JSON.stringify(this.next.text);
    return new WgslError("syntax", this.next, `${wanted} expected, got ${got}`);
  }

  unexpected(wanted: string): WgslError {
    return this.#unexpected(wanted);
  }
}
