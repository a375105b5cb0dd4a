/** The CPU device wherever there is JavaScript: the same bits everywhere, threads where memory can be shared, clear refusals. */
import { openBrowser, probePage, probeProgram, programNames, type PageKind } from "@jnx/conformance/hosts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let browser: Awaited<ReturnType<typeof openBrowser>> | undefined;
let expected: Awaited<ReturnType<typeof probeProgram>> | undefined;

beforeAll(async () => {
  browser = await openBrowser();
  expected = await probeProgram("node");
});
afterAll(() => browser?.close());

function page(kind: PageKind): ReturnType<typeof probePage> {
  if (browser === undefined) throw new Error("no browser");
  return probePage(browser, kind);
}

test.each(programNames)("%s computes what Node does, on several threads, and reads without awaiting", async (name) => {
  const probe = name === "node" ? expected : await probeProgram(name);
  expect(probe?.results).toEqual(expected?.results);
  expect(probe?.device).toMatch(/\d+ threads/);
  expect(probe?.shared).toBeGreaterThan(0);
  expect(probe?.sync).toBe(3);
});

describe("a page", () => {
  test("that is cross-origin isolated has threads, and its main thread does not wait", async () => {
    const probe = await page({ isolated: true });
    expect(probe.results).toEqual(expected?.results);
    expect(probe.device).toMatch(/\d+ threads/);
    expect(probe.shared).toBeGreaterThan(0);
    expect(probe.sync).toMatch(/main thread must not wait.*await data\(\)/);
  });

  test("that is not has one thread, and the same results", async () => {
    const probe = await page({ isolated: false });
    expect(probe.results).toEqual(expected?.results);
    expect(probe.device).toContain("1 thread");
    expect(probe.shared).toBe(0);
  });

  test("computes in a web worker too, which may wait", async () => {
    const probe = await page({ isolated: true, inWorker: true });
    expect(probe.results).toEqual(expected?.results);
    expect(probe.shared).toBeGreaterThan(0);
    expect(probe.sync).toBe(3);
  });

  test("whose policy allows WebAssembly computes; workers are a permission of their own", async () => {
    const all = "script-src 'self' 'wasm-unsafe-eval'; worker-src blob:";
    const probe = await page({ isolated: true, policy: all });
    expect(probe.results).toEqual(expected?.results);
    expect(probe.shared).toBeGreaterThan(0);
    const alone = await page({ isolated: true, policy: "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" });
    expect(alone.results).toEqual(expected?.results);
    expect(alone.shared).toBe(0);
  });

  test("whose policy forbids it is told what to add", async () => {
    await expect(page({ isolated: true, policy: "script-src 'self'" })).rejects.toThrow(
      /NoAdapterError.*Content-Security-Policy, add 'wasm-unsafe-eval' to its script-src/s,
    );
  });
});
