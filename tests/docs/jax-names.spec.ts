/** The table of jax's names: none is missing, and the page says what is so. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { jaxPage, jaxRows } from "../../scripts/jax-names.ts";

test("every name of jax and its modules is here or told why not", () => {
  const all = jaxRows();
  expect(all.length).toBeGreaterThan(460);
  expect(all.filter(([, , state]) => state === "missing")).toEqual([]);
});

test("NAMES.md is as it would be written now", () => {
  const page = readFileSync(path.join(import.meta.dirname, "../../packages/jnx/NAMES.md"), "utf8");
  // Prettier sets the table.
  const plain = (text: string): string => text.replaceAll(/[ -]+/g, " ").trim();
  expect(plain(page)).toBe(plain(jaxPage()));
});
