#!/usr/bin/env node
// The command is TypeScript in a workspace: tsx runs it, with the packages' sources.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const tsx = createRequire(import.meta.url).resolve("tsx/cli");
const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
const child = spawn(process.execPath, [tsx, "--conditions=@jnx/source", cli, ...process.argv.slice(2)], {
  stdio: "inherit",
});
// Ctrl-C reaches the child too, which writes what it has.
process.on("SIGINT", () => undefined);
child.on("exit", (code) => process.exit(code ?? 1));
