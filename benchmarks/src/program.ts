/** The commands. */
import { Command } from "commander";
import { addCompile } from "./commands/compile.ts";
import { addDiff, addReport, addTune } from "./commands/files.ts";
import { addList, addRoofline } from "./commands/info.ts";
import { addOverhead } from "./commands/overhead.ts";
import { addCompare, addRun } from "./commands/run.ts";

export function program(): Command {
  const root = new Command("jnx-bench").description("Timings of jnx and other engines, same adapter, same run.");
  addList(root);
  addRun(root);
  addRoofline(root);
  addCompare(root);
  addOverhead(root);
  addCompile(root);
  addTune(root);
  addDiff(root);
  addReport(root);
  return root;
}
