/** What a container says in the bench: mostly some hundred bytes, sometimes more, now and then longer than a record of the runtime. */
export function chaosLine(pod: string, n: number): string {
  const head = `stream=${pod} n=${n} `;
  if (n % 20_011 === 20_010) return head + filler(n, 40_000);
  if (n % 997 === 996) return head + filler(n, 600);
  return head + filler(n, 30 + ((n * 37) % 70));
}

/** Numbers itself all along, so that a part of it can't pass for a part of another line. */
function filler(n: number, length: number): string {
  const word = `${n}.`;
  return word.repeat(Math.ceil(length / word.length)).slice(0, length);
}
