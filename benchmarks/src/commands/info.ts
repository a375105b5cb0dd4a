/** `list`: what there is. `roofline`: what the adapter can do at most. */
import type { Command } from "commander";
import type { AdapterName } from "../adapter.ts";
import { EngineProcess } from "../harness.ts";
import { rooflineTable, type Table } from "../report.ts";
import { kernels, tasks, type Task } from "../tasks/index.ts";
import { adapterOption, prepareProcesses, printTables } from "./shared.ts";

function work({ kind, flops, bytes }: Task): string {
  if (flops !== undefined) return `${(flops / 1e6).toPrecision(4)} MFLOP`;
  if (bytes !== undefined) return `${(bytes / 2 ** 20).toPrecision(4)} MiB`;
  return kind === "cold" ? "a start" : "-";
}

function tableOf(title: string, list: readonly Task[]): Table {
  const rows = list.map((task) => [task.id, task.title, work(task)]);
  return { title, rows: [["id", "what", "work"], ...rows] };
}

export function addList(program: Command): void {
  program
    .command("list")
    .description("Show the tasks and kernels.")
    .option("--json", "as JSON")
    .action(({ json }: { json?: boolean }) => {
      if (json !== true)
        return printTables([tableOf("Tasks, by every engine", tasks), tableOf("Kernels of jnx", kernels)]);
      const all = [...tasks, ...kernels].map(({ id, title, kind, flops, bytes }) => ({
        id,
        title,
        kind,
        flops,
        bytes,
      }));
      console.log(JSON.stringify(all, null, 2));
    });
}

export function addRoofline(program: Command): void {
  program
    .command("roofline")
    .description("Measure what the adapter can do at most: multiply-adds, copies in a kernel, copies by the driver.")
    .addOption(adapterOption())
    .option("--json", "as JSON")
    .action(async ({ adapter, json }: { adapter: AdapterName; json?: boolean }) => {
      await prepareProcesses([], adapter);
      const process = new EngineProcess(adapter);
      try {
        const { device, roofline } = await process.call("roofline", {});
        if (json === true) console.log(JSON.stringify({ adapter, device, roofline }, null, 2));
        else {
          console.log(`${adapter}: ${device}`);
          printTables([rooflineTable({ roofline: { start: roofline } })]);
        }
      } finally {
        await process.close();
      }
    });
}
