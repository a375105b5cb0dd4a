/** Every function that optax 0.2.8 exports, in names.json as tests/oracle/optax_names.py found them, is here or has a reason. */
import * as optax from "@jnx/optax";
import { expect, it } from "vitest";
import names from "./names.json" with { type: "json" };

const COMPLEX = "for complex numbers";
const ASSIGNMENT = "each step depends on values: a task for the host";

/** Names that are otherwise, with why. */
const OTHERWISE: Readonly<Record<string, string>> = {
  "assignment.baseHungarianAlgorithm": ASSIGNMENT,
  "assignment.hungarianAlgorithm": ASSIGNMENT,
  multiNormal: "the base of a class of distributions that optax deprecates",
  "contrib.splitRealAndImaginary": COMPLEX,
  "tree.conj": COMPLEX,
  "tree.real": COMPLEX,
  "tree.unwrapRandomKeyData": "trees take keys as they are",
  "treeUtils.treeConj": COMPLEX,
  "treeUtils.treeReal": COMPLEX,
  "treeUtils.treeUnwrapRandomKeyData": "trees take keys as they are",
};

function lookUp(path: string): unknown {
  return path.split(".").reduce<unknown>((at, name) => (at === undefined ? at : Reflect.get(Object(at), name)), optax);
}

it("every name of optax is here", () => {
  const all = Object.entries(names).flatMap(([space, list]) =>
    list.map((name) => (space === "" ? name : `${space}.${name}`)),
  );
  const absent = all.filter((path) => lookUp(path) === undefined);
  expect(absent.filter((path) => OTHERWISE[path] === undefined)).toEqual([]);
});
