/** `1536` → `"1.5 KiB"`. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toFixed(1))} ${units[unit]}`;
}

/** `["add", "mul", "add"]` → `"add (2x), mul"`, shortened to the first `limit` names. */
export function formatLabels(labels: readonly string[], limit = 8): string {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const parts = [...counts].map(([label, count]) => (count === 1 ? label : `${label} (${count}x)`));
  const rest = parts.length - limit;
  return rest > 0 ? `${parts.slice(0, limit).join(", ")} and ${rest} more` : parts.join(", ");
}
