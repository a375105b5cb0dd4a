#!/usr/bin/env node
/** `pnpm bench`, `jnx-bench`: jnx beside other engines and against the roofline on one adapter. */
import { program } from "./program.ts";

program()
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  });
