import { MAX_NAME_LENGTH } from "./limits.ts";

/** Every object that k6-operator names after a TestRun; see its `pkg/resources/jobs`. */
export interface OperatorNames {
  initializer: string;
  starter: string;
  /** Made for aborted runs of Grafana Cloud alone. */
  stopper: string;
  /** Job, and hostname of its pod, of runner 1..N. */
  runners: string[];
  services: string[];
}

export function operatorNames(testRunName: string, parallelism: number): OperatorNames {
  const indexes = Array.from({ length: parallelism }, (_, index) => index + 1);
  return {
    initializer: `${testRunName}-initializer`,
    starter: `${testRunName}-starter`,
    stopper: `${testRunName}-stopper`,
    runners: indexes.map((index) => `${testRunName}-${index}`),
    services: indexes.map((index) => `${testRunName}-service-${index}`),
  };
}

/** What a TestRun's name matches: a Service's name is a DNS-1035 label, so it starts with a letter and has no dots. */
export const TEST_RUN_NAME_PATTERN = /^(?!plz-test-)[a-z](?:[a-z0-9-]{0,49}[a-z0-9])?$/;

/** The rule of {@link TEST_RUN_NAME_PATTERN} in words; `plz-test-` belongs to the operator's PrivateLoadZones. */
export const TEST_RUN_NAME_RULE = `must be 1 to ${MAX_NAME_LENGTH} characters of a-z, 0-9 and -, start with a letter, end with a letter or digit and not start with plz-test-`;
