/**
 * `pnpm check`: every stage in turn, one line each; the output of a stage is shown only when it fails. All stages
 * run even when one fails. `pnpm check lint types` runs those alone. What prettier and tsc found for files that did not
 * change is kept in node_modules/.cache; eslint looks at all again, as types of other files decide its findings.
 */
import { spawnSync } from "node:child_process";
import { ROOT } from "./lib/sources.ts";

const CACHE = "node_modules/.cache";
const STAGES: Readonly<Record<string, readonly string[]>> = {
  gen: ["tsx", "scripts/wgsl.ts"],
  format: ["prettier", "--check", "--cache", "--log-level", "warn", "."],
  lint: ["eslint", "--max-warnings", "0", "."],
  types: ["tsc", "--noEmit", "--pretty", "false", "--incremental", "--tsBuildInfoFile", `${CACHE}/types.tsbuildinfo`],
  imports: ["tsx", "scripts/check-imports.ts"],
  style: ["tsx", "scripts/check-style.ts"],
  size: ["tsx", "scripts/check-size.ts"],
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => STAGES[name] === undefined);
if (unknown.length > 0) {
  console.error(`check: no stage ${unknown.join(", ")}; there are ${Object.keys(STAGES).join(", ")}`);
  process.exit(2);
}

const failed: string[] = [];
for (const [name, [command = "", ...args]] of Object.entries(STAGES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const started = performance.now();
  // pnpm puts node_modules/.bin on the path of its scripts.
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: "utf8",
    shell: process.platform === "win32",
    maxBuffer: 1 << 26,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const ok = status === 0;
  console.log(`${name.padEnd(8)} ${ok ? "ok    " : "failed"} ${seconds.padStart(5)} s`);
  if (ok) continue;
  failed.push(name);
  console.log(
    [error?.message, stdout, stderr]
      .filter((text) => text)
      .join("\n")
      .trimEnd(),
  );
}
if (failed.length > 0) {
  console.log(`check: ${failed.join(", ")} failed`);
  process.exitCode = 1;
}
