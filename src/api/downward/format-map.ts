/** Labels and annotations as a downwardAPI file has them: `key="value"` lines by key, values quoted as Go quotes. */
import { quote } from '../field-errors.ts'

export function formatMap(map: Record<string, string> | undefined): string {
  return Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${quote(map?.[key] ?? '')}`)
    .join('\n')
}
