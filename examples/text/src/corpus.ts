// The text to learn from: this repository's own pages, as numbers of the printable ASCII characters and the line break.
import { readFileSync } from "node:fs";
import { jnp, type Tensor } from "jnx";

const first = 32; // the space
/** How many characters there are: printable ASCII, and the line break as the last. */
export const vocabulary = 96;

export function encode(text: string): Int32Array<ArrayBuffer> {
  return Int32Array.from(text, (character) => {
    const code = character.charCodeAt(0) - first;
    return code >= 0 && code < vocabulary - 1 ? code : vocabulary - 1;
  });
}

export function decode(codes: ArrayLike<number>): string {
  return Array.from(codes, (code) => (code === vocabulary - 1 ? "\n" : String.fromCharCode(code + first))).join("");
}

/** The pages' text without what is not prose: blocks of code and tables. */
export function corpus(): string {
  const pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
  const text = pages.map((page) => readFileSync(new URL(`../../../${page}`, import.meta.url), "utf8")).join("\n");
  return text
    .replaceAll(/^```[^]*?^```$/gm, "")
    .replaceAll(/^\|.*$/gm, "")
    .replaceAll(/\n{2,}/g, "\n");
}

/** Windows of the text: x is what is seen and y what comes next, both [batch, length]. */
export function windows(codes: Int32Array, starts: ArrayLike<number>, length: number): { x: Tensor; y: Tensor } {
  const rows = (shift: number): Tensor => {
    const flat = Array.from(starts, (start) => [...codes.subarray(start + shift, start + shift + length)]);
    return jnp.array(flat, { dtype: "int32" });
  };
  return { x: rows(0), y: rows(1) };
}
