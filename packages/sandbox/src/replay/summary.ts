/** What a replayed run counted. */
export interface ReplayCounts {
  iterations: number;
  seconds: number;
  vus: number;
}

/** k6's text summary. The shape and the times are those of the recorded run, the counts this run's own. */
export function textSummary({ iterations, seconds, vus }: ReplayCounts): string {
  const rate = perSecond(iterations, seconds);
  const checks = iterations === 0 ? "0.00%  0 out of 0" : `100.00% ${iterations} out of ${iterations}`;
  return [
    "",
    "",
    "  █ THRESHOLDS ",
    "",
    "    checks",
    `    ✓ 'rate>0.9' rate=${iterations === 0 ? "0.00" : "100.00"}%`,
    "",
    "",
    "  █ TOTAL RESULTS ",
    "",
    `    checks_total.......: ${iterations}      ${rate}/s`,
    `    checks_succeeded...: ${checks}`,
    `    checks_failed......: 0.00%   0 out of ${iterations}`,
    "",
    "    ✓ is 200",
    "",
    "    HTTP",
    "    http_req_duration..............: avg=614.9µs  min=328.45µs med=465.81µs max=1.15ms   p(90)=1.13ms   p(95)=1.14ms  ",
    "      { expected_response:true }...: avg=614.9µs  min=328.45µs med=465.81µs max=1.15ms   p(90)=1.13ms   p(95)=1.14ms  ",
    `    http_req_failed................: 0.00%  0 out of ${iterations}`,
    `    http_reqs......................: ${iterations}     ${rate}/s`,
    "",
    "    EXECUTION",
    "    iteration_duration.............: avg=1s       min=1s       med=1s       max=1s       p(90)=1s       p(95)=1s      ",
    `    iterations.....................: ${iterations}     ${rate}/s`,
    `    vus............................: ${vus}      min=${vus}        max=${vus}`,
    `    vus_max........................: ${vus}      min=${vus}        max=${vus}`,
    "",
    "    NETWORK",
    `    data_received..................: ${iterations * 273} B ${perSecond(iterations * 273, seconds)} B/s`,
    `    data_sent......................: ${iterations * 79} B ${perSecond(iterations * 79, seconds)} B/s`,
    "",
    "",
    "",
    "",
  ].join("\n");
}

/** The summary that `K6_SUMMARY_EXPORT` asks for, without a newline at its end, as k6 writes it. */
export function jsonSummary({ iterations, seconds, vus }: ReplayCounts): string {
  const counter = (count: number): object => ({ count, rate: seconds === 0 ? 0 : count / seconds });
  const gauge = { value: vus, min: vus, max: vus };
  const duration = { avg: 0.614, min: 0.328, med: 0.465, max: 1.15, "p(90)": 1.13, "p(95)": 1.14 };
  const check = {
    name: "is 200",
    path: "::is 200",
    id: "b90917b286da7eb763f41c72548efc6d",
    passes: iterations,
    fails: 0,
  };
  const summary = {
    metrics: {
      iterations: counter(iterations),
      http_reqs: counter(iterations),
      http_req_failed: { passes: 0, fails: iterations, value: 0 },
      http_req_duration: duration,
      iteration_duration: { avg: 1000, min: 1000, med: 1000, max: 1000, "p(90)": 1000, "p(95)": 1000 },
      checks: { passes: iterations, fails: 0, thresholds: { "rate>0.9": false }, value: iterations === 0 ? 0 : 1 },
      vus: gauge,
      vus_max: gauge,
      data_received: counter(iterations * 273),
      data_sent: counter(iterations * 79),
    },
    root_group: { name: "", path: "", id: "d41d8cd98f00b204e9800998ecf8427e", groups: {}, checks: { "is 200": check } },
  };
  return JSON.stringify(summary, null, 4);
}

function perSecond(count: number, seconds: number): string {
  return (seconds === 0 ? 0 : count / seconds).toFixed(6);
}
