import { MAX_NAME_LENGTH } from "../run-config/limits.ts";

const PREFIX = "k6-";
const MADE_ID = /^[0-9a-hjkmnp-tv-z]{16}$/;
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * The name of a run's TestRun: `k6-{scenario}-{run}`, the scenario's id cut to what 51 characters leave. What follows
 * the last `-` stands for the run alone, so that runs never share a name: an id of `makeId` as it is, any other one as
 * its 128-bit FNV-1a hash in 26 characters.
 */
export function testRunName(scenarioId: string, runId: string): string {
  const run = MADE_ID.test(runId) ? runId : hash(runId);
  const scenario = scenarioId.slice(0, MAX_NAME_LENGTH - PREFIX.length - 1 - run.length).replace(/-+$/, "");
  return scenario === "" ? PREFIX + run : `${PREFIX}${scenario}-${run}`;
}

function hash(text: string): string {
  let state = 0x6c62272e07bb014262b821756295c58dn;
  for (const byte of new TextEncoder().encode(text))
    state = BigInt.asUintN(128, (state ^ BigInt(byte)) * 0x1000000000000000000013bn);
  return Array.from({ length: 26 }, (_, at) => ALPHABET[Number((state >> BigInt(5 * at)) & 31n)]).join("");
}
