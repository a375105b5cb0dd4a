/** What one submission ran, most expensive first; without times when there are none. */
export function summary(number: number, labels: readonly string[], times: readonly number[] | undefined): string {
  const rows = new Map<string, { count: number; micros: number }>();
  let total = 0;
  labels.forEach((label, i) => {
    const row = rows.get(label) ?? { count: 0, micros: 0 };
    const micros = times?.[i] ?? 0;
    row.count++;
    row.micros += micros;
    total += micros;
    rows.set(label, row);
  });
  const time = (micros: number): string => (times === undefined ? "" : `, ${micros.toFixed(1)} us`);
  const sorted = [...rows].sort((a, b) => b[1].micros - a[1].micros);
  const lines = sorted.map(([label, row]) => `  ${label}: ${row.count}${time(row.micros)}`);
  return [`jnx: flush ${number}: ${labels.length} dispatches${time(total)}`, ...lines].join("\n");
}
