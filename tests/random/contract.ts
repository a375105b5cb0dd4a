/**
 * `pnpm random-contract`: draws every sampler's golden cases on both software adapters and writes docs/random.md, the table
 * of how close each comes to JAX's numbers. samplers.spec.ts holds every adapter to what the table says.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { initDevice } from "@jnx/testing";
import { goldenArray } from "../goldens/read.ts";
import { casesOf, measure, type Distance } from "./measure.ts";
import { CLOSE, DISCRETE, EXACT, REJECTED, VECTORS, type Draw } from "./samplers.ts";

const PAGE = new URL("../../docs/random.md", import.meta.url);

/** Golden files with what draws their cases. */
export const TABLES: Readonly<Record<string, Readonly<Record<string, Draw>>>> = {
  "random-exact": EXACT,
  "random-discrete": DISCRETE,
  "random-close": CLOSE,
  "random-rejected": REJECTED,
  "random-vectors": VECTORS,
};

interface Row {
  readonly name: string;
  readonly dtype: string;
  readonly elements: number;
  readonly contract: string;
}

/** A distance in words. Linear algebra is held to an absolute bound: its sums take another order. */
function contractOf(file: string, { elements, equal, worst, apart }: Distance): string {
  if (worst === 0) return "exact";
  if (file === "random-vectors") return `within ${(10 ** Math.ceil(Math.log10(apart))).toExponential()}`;
  return `≤ ${worst} ulp, ${Math.floor((1000 * equal) / elements) / 10} % equal`;
}

/** Whether a distance keeps what a cell of the table says; equal numbers may be one in a hundred fewer. */
export function keeps(contract: string, { elements, equal, worst, apart }: Distance): boolean {
  if (contract === "exact") return worst === 0;
  const within = /^within (\S+)$/.exec(contract)?.[1];
  if (within !== undefined) return apart <= Number(within);
  const [, ulps, percent] = /^≤ (\d+) ulp, ([\d.]+) % equal$/.exec(contract) ?? [];
  if (ulps === undefined || percent === undefined) throw new Error(`docs/random.md: cannot read "${contract}"`);
  return worst <= Number(ulps) && (100 * equal) / elements >= Number(percent) - 1;
}

/** What docs/random.md says of a sampler on an adapter. */
export function contractFor(sampler: string, adapter: string): string {
  const rows = readFileSync(PAGE, "utf8").split("\n");
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  const head = cells.find((row) => row[1] === "Sampler") ?? [];
  const found = cells.find((row) => row[1] === `\`${sampler}\``)?.[head.indexOf(adapter)];
  if (found === undefined)
    throw new Error(`docs/random.md: nothing on ${sampler} for ${adapter}; run pnpm random-contract`);
  return found;
}

async function measureAll(): Promise<Row[]> {
  await initDevice();
  const rows: Row[] = [];
  for (const [file, samplers] of Object.entries(TABLES))
    for (const [name, draw] of Object.entries(samplers)) {
      const distance = await measure(file, name, draw);
      const dtype = goldenArray(file, casesOf(file, name)[0]?.name ?? "").dtype;
      rows.push({ name, dtype, elements: distance.elements, contract: contractOf(file, distance) });
    }
  return rows;
}

function measureOn(adapter: string): Row[] {
  const args = ["--conditions=@jnx/source", "--import", "tsx", fileURLToPath(import.meta.url), "measure"];
  const env = { ...process.env, JNX_ADAPTER: adapter };
  const out = execFileSync(process.execPath, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return JSON.parse(out) as Row[]; // what this very script prints
}

function page(swiftshader: readonly Row[], lavapipe: readonly Row[]): string {
  const rows = swiftshader.map(
    (row, i) =>
      `| \`${row.name}\` | ${row.dtype} | ${row.elements} | ${row.contract} | ${lavapipe[i]?.contract ?? ""} |`,
  );
  return `# Random numbers: how close to JAX's

Measured by \`pnpm random-contract\`, which writes this page: draws of the golden cases in \`tests/goldens/random-*.json\`, made by
the real JAX on a CPU, against the same draws here. A sampler's parameters stand behind its name. Exact means equal bit for bit,
whole arrays compared by their hashes; an ulp is a unit in the last place. The tests hold every adapter to its column.

| Sampler | Dtype | Elements | swiftshader | lavapipe |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

Over 2^20 draws of one key, 14 normal numbers differ from JAX's, by 1 or 2 ulp: the kernel rounds as JAX does where that shows most.

Samplers that reject (gamma and what is made of it, Poisson, binomial) repeat JAX's trials. An element whose trial is
accepted here and refused there, by a difference in the last place, would come out as another number altogether: none did here.
`;
}

if (process.argv[2] === "measure") {
  process.stdout.write(JSON.stringify(await measureAll()), () => process.exit(0));
} else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, page(measureOn("swiftshader"), measureOn("lavapipe")));
}
