import { cases } from "@jnx/testing";
import { einsumPath, ones } from "@jnx/tensor";
import { expect, test } from "vitest";
import { testForward } from "./kit.ts";

testForward("contraction", cases.contraction);

test("a chain of products is multiplied from its short end", () => {
  const chain = [ones([10, 100]), ones([100, 5]), ones([5, 50])] as const;
  expect(einsumPath("ij,jk,kl->il", ...chain)).toEqual([
    [0, 1],
    [0, 1],
  ]);
  expect(einsumPath("ij,jk,k->i", ones([50, 40]), ones([40, 60]), ones([60]))).toEqual([
    [1, 2],
    [0, 1],
  ]);
  expect(einsumPath("ij,jk,k->i", ones([50, 40]), ones([40, 60]), ones([60]), { optimize: "greedy" })).toEqual([
    [1, 2],
    [0, 1],
  ]);
});

test("ten operands are multiplied greedily without trying every order", () => {
  const letters = "abcdefghijk";
  const terms = [...letters].slice(0, -1).map((letter, k) => `${letter}${letters[k + 1] ?? ""}`);
  const path = einsumPath(`${terms.join(",")}->ak`, ...terms.map((_, k) => ones([k + 1, k + 2])));
  expect(path).toHaveLength(9);
});
