/** Columns of text, as kubectl sets them: three spaces between, no trailing ones. */
const GAP = 3

/** Ends with a newline. Without a header when it is undefined; `widths` of an earlier part keep later rows in line with it. */
export function formatTable(
  header: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
  widths: number[] = [],
): string {
  const lines = header ? [header, ...rows] : rows
  for (const line of lines) {
    for (const [column, cell] of line.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  return lines.map((line) => `${formatLine(line, widths)}\n`).join('')
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell.padEnd(widths[column]! + GAP))
    .join('')
    .trimEnd()
}
