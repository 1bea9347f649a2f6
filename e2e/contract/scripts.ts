/** Scripts without a target, each for one behaviour. */
export const SCRIPTS = {
  /** Two seconds of work that logs a line an iteration. */
  pass: `import { sleep } from 'k6';
export const options = { scenarios: { s: { executor: 'constant-vus', vus: 12, duration: '2s' } } };
export default function () { console.log('iteration ' + __ITER + ' of VU ' + __VU); sleep(0.5); }
`,
  long: `import { sleep } from 'k6';
export const options = { scenarios: { s: { executor: 'constant-vus', vus: 12, duration: '2m', gracefulStop: '1s' } } };
export default function () { console.log('still running'); sleep(0.5); }
`,
  throwsInInit: `throw new Error('no token in the environment');
export default function () {}
`,
  throwsInSetup: `export const options = { scenarios: { s: { executor: 'shared-iterations', vus: 2, iterations: 2 } } };
export function setup() { throw new Error('setup says no'); }
export default function () {}
`,
  thresholdFails: `import { check } from 'k6';
export const options = { scenarios: { s: { executor: 'shared-iterations', vus: 2, iterations: 4 } }, thresholds: { checks: ['rate>0.9'] } };
export default function () { check(1, { 'is two': (it) => it === 2 }); }
`,
  oneVu: `export const options = { scenarios: { s: { executor: 'shared-iterations', vus: 1, iterations: 1 } } };
export default function () {}
`,
} as const;
