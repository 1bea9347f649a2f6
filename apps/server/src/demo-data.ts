import { isTailraceError, type Store } from "@tailrace/core";

/** The team and the scenario that the open mode starts with. */
export const DEMO_TEAM = "demo";
const DEMO_SCENARIO = "load-test-scenario";

const SCRIPT = `// Simulates a checkout that takes 50 to 150 ms, so that it runs without a target.
// Set TARGET (scenario env) to send real requests instead.
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Trend } from 'k6/metrics';

const checkout = new Trend('checkout_duration', true);

export const options = {
  scenarios: { load: { executor: 'constant-vus', vus: 20, duration: '10s' } },
  thresholds: { checks: ['rate>0.95'] },
};

export default function () {
  const started = Date.now();
  if (__ENV.TARGET) {
    check(http.get(__ENV.TARGET), { 'status is 200': (response) => response.status === 200 });
  } else {
    sleep(0.05 + Math.random() * 0.1);
    check(started, { 'checkout answered': () => true });
  }
  checkout.add(Date.now() - started);
  if (__ITER % 10 === 0) console.log(\`VU \${__VU} finished checkout \${__ITER} in \${Date.now() - started} ms\`);
  sleep(0.3);
}
`;

/** Makes team and scenario of the open mode where they are missing. Safe when several servers start at once. */
export async function ensureDemoData(store: Store): Promise<void> {
  await unlessTaken(store.createTeam({ id: DEMO_TEAM, name: "Demo" }));
  if ((await store.getScenario(DEMO_TEAM, DEMO_SCENARIO)) !== null) return;
  await unlessTaken(
    store.createScenario({
      id: DEMO_SCENARIO,
      teamId: DEMO_TEAM,
      name: "Load test scenario",
      config: { script: SCRIPT },
    }),
  );
}

async function unlessTaken(making: Promise<unknown>): Promise<void> {
  await making.catch((error: unknown) => {
    if (!isTailraceError(error, "CONFLICT")) throw error;
  });
}
