/** RFC 3339 to the second, as Kubernetes writes times in objects. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

export function now(): string {
  return timestamp(new Date());
}
