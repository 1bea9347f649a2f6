import { describe, expect, it } from "vitest";
import { type OpenModeHeaders, openModeRefusal } from "../src/auth/open-mode.ts";

const answered: OpenModeHeaders[] = [
  { host: "127.0.0.1:4173" },
  { host: "127.8.9.10" },
  { host: "localhost:1" },
  { host: "LOCALHOST:4173", origin: "http://localhost:4173" },
  { host: "[::1]:4173", origin: "http://[::1]:4173" },
  { host: "127.0.0.1:4173", origin: "http://127.0.0.1:4173", "sec-fetch-site": "same-origin" },
  { host: "localhost:4173", "sec-fetch-site": "none" },
];

const refused: [OpenModeHeaders, RegExp][] = [
  [{}, /loopback Host/],
  [{ host: "" }, /loopback Host/],
  [{ host: "tailrace.example.com" }, /loopback Host/],
  [{ host: "127.0.0.1.example.com" }, /loopback Host/],
  [{ host: "127.0.0.1@example.com" }, /loopback Host/],
  [{ host: "localhost.example.com:80" }, /loopback Host/],
  [{ host: "localhost:4173, example.com" }, /loopback Host/],
  [{ host: "example.com:127.0.0.1" }, /loopback Host/],
  [{ host: "10.0.0.1:4173" }, /loopback Host/],
  [{ host: "[::2]:4173" }, /loopback Host/],
  [{ host: "localhost:4173", origin: "http://example.com" }, /same-origin/],
  [{ host: "localhost:4173", origin: "http://localhost:5173" }, /same-origin/],
  [{ host: "localhost:4173", origin: "http://127.0.0.1:4173" }, /same-origin/],
  [{ host: "localhost:4173", origin: "null" }, /same-origin/],
  [{ host: "localhost:4173", origin: "" }, /same-origin/],
  [{ host: "localhost:4173", "sec-fetch-site": "cross-site" }, /Sec-Fetch-Site/],
  [{ host: "localhost:4173", "sec-fetch-site": "same-site" }, /Sec-Fetch-Site/],
  [{ host: "localhost:4173", "sec-fetch-site": ["same-origin", "cross-site"] }, /Sec-Fetch-Site/],
];

describe("openModeRefusal", () => {
  it.each(answered)("answers %j", (headers) => {
    expect(openModeRefusal(headers)).toBeNull();
  });

  it.each(refused)("refuses %j", (headers, reason) => {
    expect(openModeRefusal(headers)).toMatch(reason);
  });
});
