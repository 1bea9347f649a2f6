/** What curl writes for each runner after the runner's own answer (k6-operator, pkg/resources/jobs/starter.go). */
const RESULT = /\{"http_code":(\d+),[^{}]*\}/g;

/**
 * The starter's lines as they are shown: where every runner took the request, their answers become one line. Anything
 * else, such as a runner that could not be reached, stays as it is.
 *
 * @param ended - true when nothing follows, so that what is not whole is shown too and not waited for
 */
export function summarizeStarter(lines: readonly string[], parallelism: number, ended: boolean): readonly string[] {
  const codes = Array.from(lines.join("\n").matchAll(RESULT), ([, code]) => Number(code));
  if (codes.length === parallelism && codes.every((code) => code === 200)) {
    const what = parallelism === 1 ? "the runner" : `all ${parallelism} runners`;
    return [`started ${what} (--all shows the answers)`];
  }
  const more = lines[0]?.startsWith("{") === true && codes.length < parallelism && !ended;
  return more ? [] : lines;
}
