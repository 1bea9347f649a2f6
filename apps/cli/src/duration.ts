const UNITS = { h: 3_600_000, m: 60_000, s: 1000 } as const;

/** Reads `90`, `90s`, `10m` or `1h30m`, in milliseconds; null when it is none of that, or zero. */
export function parseDuration(text: string): number | null {
  if (/^\d+$/.test(text)) return Number(text) * UNITS.s || null;
  if (!/^(?:\d+h)?(?:\d+m)?(?:\d+s)?$/.test(text) || text === "") return null;
  const parts = [...text.matchAll(/(\d+)([hms])/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit as keyof typeof UNITS], 0) || null;
}

/** `0:07`, `12:34` or `1:02:03`. */
export function formatElapsed(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const tail = `${minutes < 60 ? minutes : two(minutes % 60)}:${two(seconds % 60)}`;
  return minutes < 60 ? tail : `${Math.floor(minutes / 60)}:${tail}`;
}

/** `42s`, `1m05s` or `1h02m`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor((seconds % 3600) / 60))}m`;
}
