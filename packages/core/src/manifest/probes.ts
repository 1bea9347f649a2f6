const httpGet = { path: "/v1/status", port: 6565, scheme: "HTTP" };

/**
 * Kills a runner only when it did not answer for 3 minutes. k6 under full load answers late, and not at all while
 * `handleSummary` runs, which may take 120 s; Kubernetes' own 3 × 1 s would end healthy runs.
 */
export const LIVENESS_PROBE = { httpGet, periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 18 };

/**
 * Decides when k6-operator reaches the runner through its Service, so that a short period starts runs sooner; a
 * runner that is not ready later on loses nothing.
 */
export const READINESS_PROBE = { httpGet, periodSeconds: 2, timeoutSeconds: 10, failureThreshold: 3 };
