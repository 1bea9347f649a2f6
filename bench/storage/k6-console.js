// A load test that says in JSON what it does, as teams have it: a shop of which nothing is asked over the network, so that
// the log depends on nothing but k6. Run it with `--log-format json`.
//
//   k6 run --log-format json --env ITERATIONS=10000 bench/storage/k6-console.js

/* oxlint-disable no-console, import/no-default-export -- k6 wants the one, the bench the other */

import { check, sleep } from "k6";
import exec from "k6/execution";

export const options = {
  scenarios: {
    shoppers: {
      executor: "shared-iterations",
      vus: 20,
      iterations: Number(__ENV.ITERATIONS || 1000),
      maxDuration: "30m",
    },
  },
};

const PRODUCTS = ["kettle", "lamp", "desk", "chair", "teapot", "shelf", "blanket", "mirror"];
const CITIES = ["Aachen", "Bergen", "Cádiz", "Dijon", "Espoo", "Faro", "Gdańsk", "Halle"];

function pick(list) {
  return list[Math.floor(Math.random() * list.length)];
}

function traceId() {
  return Array.from({ length: 16 }, () => Math.floor(Math.random() * 16).toString(16)).join("");
}

/** What a request would have been answered. */
function answer(method, path) {
  const duration = Math.round(-60_000 * Math.log(1 - Math.random())) / 1000;
  const status = Math.random() < 0.02 ? 503 : method === "POST" ? 201 : 200;
  return { method, url: `https://shop.example/api${path}`, status, duration };
}

function tell(event, fields) {
  const { idInTest, iterationInScenario } = { ...exec.vu, ...exec.scenario };
  const line = JSON.stringify({ event, vu: idInTest, iteration: iterationInScenario, ...fields });
  if (fields.status >= 500) console.error(line);
  else if (fields.duration > 200) console.warn(line);
  else console.log(line);
}

export default function shop() {
  const trace = traceId();
  const product = pick(PRODUCTS);
  tell("login", { trace, user: `user-${Math.floor(Math.random() * 5000)}`, ...answer("POST", "/sessions") });
  tell("search", { trace, query: product, ...answer("GET", `/items?query=${product}&page=1`) });
  const order = answer("POST", "/orders");
  tell("order", { trace, product, quantity: 1 + Math.floor(Math.random() * 3), city: pick(CITIES), ...order });
  if (!check(order, { "order was taken": ({ status }) => status === 201 }))
    console.warn(`trace ${trace}: the order was refused, the shopper goes away`);
  sleep(Math.random() * 0.01);
}
