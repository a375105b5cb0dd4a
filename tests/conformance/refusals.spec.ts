import { openBrowser, refusalIn } from "@jnx/conformance/hosts";
import { expect, test } from "vitest";

test("a kernel of which Chrome's compiler makes no pipeline is reported, though Chrome never gives the module's messages", async () => {
  const browser = await openBrowser({ webgpu: true });
  try {
    expect(await refusalIn(browser, 20_000)).toMatch(
      /^KernelError: countdown: kernel countdown does not compile: \S.*pipeline/is,
    );
  } finally {
    await browser.close();
  }
});
