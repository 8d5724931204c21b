/** What `--pin` takes. `auto` leaves an image as it is when nobody knows its digest, and says so. */
export const PIN_MODES = ['auto', 'require', 'off'] as const
export type PinMode = (typeof PIN_MODES)[number]
