/** Results as a picture: how many times as long each engine takes as the fastest, task by task. */
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { engineTitle, heading } from "./report.ts";
import type { Results } from "./results.ts";
import { rowsOf } from "./rows.ts";

/** An SVG of the medians: bars of one task beside each other, on a logarithmic axis. */
export async function chart(results: Results): Promise<string> {
  const values = rowsOf(results).flatMap(({ task, engine, medianMs }) =>
    medianMs === undefined ? [] : [{ task, engine: engineTitle(engine), ms: medianMs }],
  );
  const order = results.tasks.map(({ id }) => id);
  const spec: TopLevelSpec = {
    title: { text: "Median time", subtitle: heading(results).split("; "), anchor: "start" },
    width: Math.max(240, 44 * order.length),
    height: 320,
    background: "white",
    data: { values },
    mark: "bar",
    encoding: {
      x: { field: "task", type: "nominal", sort: order, title: null },
      xOffset: { field: "engine" },
      y: { field: "ms", type: "quantitative", title: "ms", scale: { type: "log" } },
      color: { field: "engine", type: "nominal", title: null },
    },
  };
  return new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();
}
