/**
 * behaviours.json maps each behaviour that Flax's own tests of objects, streams, transforms, layers and training assert, as numbered in the
 * project's inventory of them, to the specs here that assert it, under the names of Flax's tests; or says why there is none.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

type Entry = Readonly<Record<string, readonly string[] | Readonly<Record<string, string>>>>;

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");
const map = JSON.parse(read("behaviours.json")) as Readonly<Record<string, Entry>>; // of the form above

/** The titles of a spec's tests and groups, those of tables included: it.each(table)(title, …). */
function titlesOf(spec: string): string {
  return Array.from(
    read(`${spec}.spec.ts`).matchAll(/(?:\b(?:it|describe)|\))\(\s*(["`])(.*?)\1/g),
    ([, , title]) => title,
  ).join("\n");
}

describe("the behaviours that Flax's own tests assert", () => {
  it("are all there, from the first to the last", () => {
    expect(Object.keys(map)).toEqual(Array.from({ length: 95 }, (_, k) => String(k + 1)));
  });

  it.each(Object.entries(map))("%s: each name is that of a test, or there is a reason", (_line, entry) => {
    for (const [spec, names] of Object.entries(entry)) {
      if (spec === "otherwise") {
        for (const reason of Object.values(names)) expect(String(reason).length).toBeGreaterThan(20);
        continue;
      }
      const titles = titlesOf(spec);
      for (const name of names as readonly string[]) expect(titles, `${spec}: ${name}`).toContain(name); // not otherwise
    }
  });
});
