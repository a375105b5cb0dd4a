/** The compiler's message and the lines around it. */
export function excerpt(code: string, message: string, lineNum: number, linePos: number): string {
  const lines = code.split("\n");
  const out = [`${message} (line ${lineNum})`];
  for (let n = Math.max(1, lineNum - 2); n <= Math.min(lines.length, lineNum + 2); n++) {
    out.push(`${n === lineNum ? ">" : " "} ${String(n).padStart(4)} | ${lines[n - 1]}`);
    if (n === lineNum && linePos > 0) out.push(`${" ".repeat(7)}| ${" ".repeat(linePos - 1)}^`);
  }
  return out.join("\n");
}
